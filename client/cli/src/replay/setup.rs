//! Creates what a file needs on the chain before it can be played: its community, its households, and funds on their
//! accounts. Whatever exists already stays as it is.

use crate::{
	chain::{
		self, council,
		send::{self, Tries},
		types::{
			AcceptMembership, Address, Balance, BalancesCall, Batch, Comfort, Community, CommunityId,
			ConfirmMeter, Household, HouseholdId, MarketCall, MembershipOffer, Quality, Reading, RuntimeCall,
			SubmitReading, Sudo, Terms,
		},
		At, Node,
	},
	cli::ReplayArgs,
	council::create_community,
	data::{Dataset, Measured},
	fault::Fault,
	keys::{self, HouseholdKeys},
	manager::{centi, Manager},
};
use commonwatt_client::council::{agree, Share};
use commonwatt_market::paper;
use std::collections::BTreeMap;
use subxt::utils::AccountId32;

/// Maximum number of calls in one batch.
const BATCH: usize = 40;
/// What the owners of a file agree to: all that they have. Their keys are development keys.
const MAX_DEBIT_PER_ERA: Balance = Balance::MAX;

/// A household of the file.
pub struct Participant {
	pub name: String,
	pub id: HouseholdId,
	pub keys: HouseholdKeys,
	pub connection_limit_wh: u32,
	/// The temperature of its greatest comfort, hundredths of a degree.
	pub indoor_centi_c: i16,
}

/// A community that is ready to be played.
pub struct Stage {
	pub community: CommunityId,
	pub name: String,
	pub terms: Terms,
	/// In the order of the file's households.
	pub players: Vec<Participant>,
	/// All households of the community, including those that are not in the file.
	pub members: Vec<HouseholdId>,
}

/// Creates what is missing.
pub async fn prepare(
	node: &Node,
	(dataset, manager): (&Dataset, Option<&Manager>),
	name: &str,
	args: &ReplayArgs,
) -> Result<Stage, Fault> {
	let all_keys = HouseholdKeys::of_all(&dataset.households)?;
	let most_wh = args.play.data.connection_limit;
	let limits: Vec<u32> = (0..dataset.households.len())
		.map(|household| connection_limit_wh(dataset, manager, household).min(most_wh))
		.collect();
	check(node, (dataset, &limits), &all_keys, name, args).await?;
	let highest = limits.iter().copied().max().unwrap_or(0);
	let (id, community) = find_or_create(node, name, highest, args).await?;
	// Owners pay fees for accepting.
	fund(node, (dataset, manager), &all_keys, &community.terms, args).await?;
	join_missing(node, (dataset, &limits), &all_keys, id, args).await?;

	let at = node.head().await?;
	let mut players = Vec::new();
	for (name, keys) in dataset.households.iter().zip(all_keys) {
		let household = registered(&at, Some(id), name, &keys).await?;
		let (number, household) =
			household.ok_or_else(|| Fault::Chain(format!("household {name} is not a member")))?;
		let comfort = household.comfort.unwrap_or(paper::COMFORT);
		check_comfort(manager, players.len(), name, &comfort)?;
		players.push(Participant {
			name: name.clone(),
			id: number,
			keys,
			connection_limit_wh: household.connection_limit_wh,
			indoor_centi_c: comfort.min_centi_c.midpoint(comfort.max_centi_c),
		});
	}
	let members = chain::members(&at, id).await?;
	Ok(Stage {
		community: id,
		name: name.into(),
		terms: community.terms,
		players,
		members,
	})
}

/// Finds out before the first transaction whether the community can have the file's households.
async fn check(
	node: &Node,
	(dataset, limits): (&Dataset, &[u32]),
	all_keys: &[HouseholdKeys],
	name: &str,
	args: &ReplayArgs,
) -> Result<(), Fault> {
	let at = node.head().await?;
	let most: u32 = chain::constant(&at, "EnergyMarket", "MaxHouseholds")?;
	let found = chain::community_named(&at, name).await?;
	let offered = chain::offers(&at).await?;
	let mut new = 0;
	for ((name, keys), limit) in dataset.households.iter().zip(all_keys).zip(limits) {
		let Some((id, community)) = &found else {
			registered(&at, None, name, keys).await?;
			new += 1;
			continue;
		};
		let is_offered = offered.iter().any(|(_, offer)| is_for(offer, *id, keys));
		if registered(&at, Some(*id), name, keys).await?.is_some() || is_offered {
			continue;
		}
		new += 1;
		let highest = community.bounds.highest_connection_limit_wh;
		if *limit > highest {
			return Err(Fault::Input(format!(
				"household {name} needs a connection limit of {limit} Wh in an era, but governance allows at most {highest} \
				 Wh in this community: play another one with --community, or have the bounds changed with set_terms_bounds"
			)));
		}
	}
	let members = match &found {
		Some((id, _)) => chain::members(&at, *id).await?.len(),
		None => 0,
	};
	let all = members.saturating_add(new);
	if all > usize::try_from(most).unwrap_or(usize::MAX) {
		return Err(Fault::Input(format!(
			"{}: with its households the community {name} would have {all}, but a community has at most {most}: split the \
			 file and play its parts with different --community",
			dataset.path.display()
		)));
	}
	let operator = keys::account(&keys::key(&args.play.keys.operator)?);
	if found.is_some_and(|(_, community)| new > 0 && community.operator != operator) {
		return Err(Fault::Input(format!(
			"the community {name} exists already, {new} household(s) of the file are not members of it, and {} is not its \
			 operator: play a new one with --community, or name its operator with --operator",
			args.play.keys.operator
		)));
	}
	Ok(())
}

/// The community with this name. Creates it if it is missing, with room for connections of `highest_limit_wh`.
async fn find_or_create(
	node: &Node,
	name: &str,
	highest_limit_wh: u32,
	args: &ReplayArgs,
) -> Result<(CommunityId, Community), Fault> {
	let mut tries = Tries::default();
	loop {
		let at = node.head().await?;
		if let Some(found) = chain::community_named(&at, name).await? {
			return Ok(found);
		}
		let call = creation(&at, name, highest_limit_wh, args).await?;
		let sudo = keys::key(&args.play.keys.sudo)?;
		let what = format!("create the community {name}");
		if council::sudo_key(&at).await? != Some(keys::account(&sudo)) {
			by_council(node, &at, call, &what, args).await?;
			break;
		}
		let signed = send::sign(&at, &sudo, ("Sudo", "sudo"), Sudo { call }, what).await?;
		let missed = send::send_all(node, &at, vec![signed]).await?;
		if missed.is_empty() {
			break;
		}
		tries.enter(missed)?;
	}
	// A Sudo call succeeds even if the call inside it fails.
	let found = chain::community_named(&node.head().await?, name).await?;
	found.ok_or_else(|| {
		Fault::Chain(format!(
			"the community {name} was not created: check that the operator {} has funds",
			args.play.keys.operator
		))
	})
}

/// Has the council create the community.
async fn by_council(
	node: &Node,
	at: &At,
	call: RuntimeCall,
	what: &str,
	args: &ReplayArgs,
) -> Result<(), Fault> {
	let members = council::members(at).await?;
	let uris = args.play.keys.council.iter();
	let keys: Vec<_> = uris.map(|uri| keys::key(uri)).collect::<Result<_, Fault>>()?;
	let needed = Share::MoreThanHalf.of(members.len());
	let count = keys
		.iter()
		.filter(|key| members.contains(&keys::account(key)))
		.count();
	if count < needed {
		return Err(Fault::Input(format!(
			"{} does not hold the Sudo key of this chain, and --council names {count} of the {needed} members of the \
			 council who must agree to {what}: name them, or let them do it with `commonwatt council`",
			args.play.keys.sudo
		)));
	}
	agree(node, &keys, call, Share::MoreThanHalf, what).await
}

/// The call that creates the community, on the terms of the chain's first one.
async fn creation(
	at: &At,
	name: &str,
	highest_limit_wh: u32,
	args: &ReplayArgs,
) -> Result<RuntimeCall, Fault> {
	let operator = keys::account(&keys::key(&args.play.keys.operator)?);
	let utility = keys::account(&keys::key(&args.play.keys.utility)?);
	let (terms, mut bounds) = chain::community(at, CommunityId(0))
		.await?
		.map_or((paper::TERMS, paper::BOUNDS), |community| {
			(community.terms, community.bounds)
		});
	bounds.highest_connection_limit_wh = bounds.highest_connection_limit_wh.max(highest_limit_wh);
	Ok(create_community(name, operator, utility, terms, bounds))
}

/// The household of these keys in a community, if it is registered. Without a community it must not be registered in
/// any.
async fn registered(
	at: &At,
	community: Option<CommunityId>,
	name: &str,
	keys: &HouseholdKeys,
) -> Result<Option<(HouseholdId, Household)>, Fault> {
	let Some(id) = chain::household_of_meter(at, &keys::account(&keys.meter)).await? else {
		return Ok(None);
	};
	let Some(household) = chain::household(at, id).await? else {
		return Ok(None);
	};
	if Some(household.community) != community {
		return Err(Fault::Input(format!(
			"household {name}: its meter //{name}//stash is already registered in community {}; play that community, \
			 or rename the household",
			household.community
		)));
	}
	if household.owner != keys::account(&keys.owner) {
		return Err(Fault::Input(format!(
			"household {name}: its owner on the chain is not //{name}"
		)));
	}
	Ok(Some((id, household)))
}

/// Has the missing households join: the operator offers, each owner accepts and each meter confirms. Their keys are this
/// program's.
async fn join_missing(
	node: &Node,
	(dataset, limits): (&Dataset, &[u32]),
	all_keys: &[HouseholdKeys],
	community: CommunityId,
	args: &ReplayArgs,
) -> Result<(), Fault> {
	let operator = keys::key(&args.play.keys.operator)?;
	let missing = async |at: &At| {
		let offered = chain::offers(at).await?;
		let mut calls = Vec::new();
		for ((name, keys), limit) in dataset.households.iter().zip(all_keys).zip(limits) {
			let is_offered = offered.iter().any(|(_, offer)| is_for(offer, community, keys));
			if !is_offered && registered(at, Some(community), name, keys).await?.is_none() {
				calls.push(RuntimeCall::EnergyMarket(MarketCall::offer_membership {
					community,
					owner: keys::account(&keys.owner),
					meter: keys::account(&keys.meter),
					connection_limit_wh: *limit,
				}));
			}
		}
		Ok(calls)
	};
	batches(node, &operator, missing, "offering memberships").await?;
	consent(node, dataset, all_keys, community).await
}

/// Whether an offer is for the household of these keys.
fn is_for(offer: &MembershipOffer, community: CommunityId, keys: &HouseholdKeys) -> bool {
	offer.community == community
		&& offer.owner == keys::account(&keys.owner)
		&& offer.meter == keys::account(&keys.meter)
}

/// Accepts and confirms the open offers, until none is left.
async fn consent(
	node: &Node,
	dataset: &Dataset,
	all_keys: &[HouseholdKeys],
	community: CommunityId,
) -> Result<(), Fault> {
	let mut tries = Tries::default();
	loop {
		let at = node.head().await?;
		let offered = chain::offers(&at).await?;
		let mut signed = Vec::new();
		for (name, keys) in dataset.households.iter().zip(all_keys) {
			let offer = offered.iter().find(|(_, offer)| is_for(offer, community, keys));
			let Some((household, offer)) = offer else { continue };
			if offer.accepted.is_none() {
				let call = ("EnergyMarket", "accept_membership");
				let acceptance = AcceptMembership {
					household: *household,
					max_debit_per_era: MAX_DEBIT_PER_ERA,
					comfort: Some(paper::COMFORT),
				};
				let what = format!("household {name}: accepting its membership");
				signed.push(send::sign(&at, &keys.owner, call, acceptance, what).await?);
			}
			if !offer.meter_confirmed {
				let call = ("EnergyMarket", "confirm_meter");
				let confirmation = ConfirmMeter {
					household: *household,
				};
				let what = format!("household {name}: confirming its meter");
				signed.push(send::sign(&at, &keys.meter, call, confirmation, what).await?);
			}
		}
		if signed.is_empty() {
			return Ok(());
		}
		let missed = send::send_all(node, &at, signed).await?;
		if !missed.is_empty() {
			tries.enter(missed)?;
		}
	}
}

/// The connection limit of a new household, Wh: enough for its largest generation and its maximum consumption, rounded
/// up to whole kWh. A manager knows the maximum consumption. Without one it is twice the file's maximum, which covers
/// any flexible share.
fn connection_limit_wh(dataset: &Dataset, manager: Option<&Manager>, household: usize) -> u32 {
	let largest = dataset.largest(household);
	let most_wh = match manager {
		Some(manager) => manager.most_wh(household),
		None => largest.consumption_wh.saturating_mul(2),
	};
	let most = largest.generation_wh.max(most_wh).max(1);
	most.div_ceil(1_000)
		.saturating_mul(1_000)
		.min(commonwatt_market::game::MAX_ENERGY_WH)
}

/// Checks that a manager's comfort range lies within the one on the chain: outside of it every payoff is 0.
fn check_comfort(
	manager: Option<&Manager>,
	household: usize,
	name: &str,
	comfort: &Comfort,
) -> Result<(), Fault> {
	let Some((low, high)) = manager.map(|manager| manager.comfort_c(household)) else {
		return Ok(());
	};
	if centi(low) < comfort.min_centi_c || centi(high) > comfort.max_centi_c {
		return Err(Fault::Input(format!(
			"household {name}: comfort_c is {low} to {high}, but its range on the chain is {} to {} hundredths of \
			 a degree",
			comfort.min_centi_c, comfort.max_centi_c
		)));
	}
	Ok(())
}

/// Sends, in batches, the calls for what the state of a final block lacks. If another transaction took the place of a
/// batch, it may have had the same effect, so the state is checked again.
async fn batches(
	node: &Node,
	signer: &subxt_signer::sr25519::Keypair,
	missing: impl AsyncFn(&At) -> Result<Vec<RuntimeCall>, Fault>,
	what: &str,
) -> Result<(), Fault> {
	let mut tries = Tries::default();
	'look: loop {
		let mut at = node.head().await?;
		for calls in missing(&at).await?.chunks(BATCH) {
			let batch = Batch {
				calls: calls.to_vec(),
			};
			let signed = send::sign(&at, signer, ("Utility", "batch_all"), batch, what.into()).await?;
			let missed = send::send_all(node, &at, vec![signed]).await?;
			if !missed.is_empty() {
				tries.enter(missed)?;
				continue 'look;
			}
			at = node.head().await?;
		}
		return Ok(());
	}
}

/// Tops up each owner to the maximum that the file can cost it. Meters need no funds: their readings are free of fees.
async fn fund(
	node: &Node,
	(dataset, manager): (&Dataset, Option<&Manager>),
	all_keys: &[HouseholdKeys],
	terms: &Terms,
	args: &ReplayArgs,
) -> Result<(), Fault> {
	let at = node.head().await?;
	let Some(first) = all_keys.first() else {
		return Ok(());
	};
	let periods = dataset.periods.len() as Balance;
	let reading = Reading {
		generation_wh: 0,
		consumption_wh: 0,
		indoor_centi_c: 0,
		quality: Quality::Measured,
	};
	let arguments = SubmitReading { era: 0, reading };
	let call = ("EnergyMarket", "submit_reading");
	let sample = send::sign(&at, &first.meter, call, arguments, String::new()).await?;
	// Strategy sets are longer than readings, and fees may rise with the load.
	let fees = send::fee(&at, &sample)
		.await?
		.saturating_mul(8)
		.saturating_mul(periods + 8);
	let mut needs = BTreeMap::<AccountId32, Balance>::new();
	for (index, keys) in all_keys.iter().enumerate() {
		let largest = dataset.largest(index);
		let in_file = |pick: fn(&Measured) -> u32| -> Balance {
			let wh = dataset.periods.iter().map(|period| {
				// The chain estimates what a silent meter does not report.
				let measured = period.measured.get(index).copied().flatten();
				Balance::from(pick(&measured.unwrap_or(largest)))
			});
			wh.sum()
		};
		// Twice, because a flexible share or a wrong forecast may double the consumption.
		let device = manager.map_or(0, |manager| manager.most_device_wh(index));
		let consumed = 2 * in_file(|m| m.consumption_wh) + periods * Balance::from(device);
		// A seller's hold covers what a sale costs that is not delivered.
		let generated = in_file(|m| m.generation_wh);
		let tariffs = &terms.tariffs;
		let per_kwh = tariffs
			.imbalance_import_per_kwh
			.saturating_add(tariffs.grid_fee_per_kwh);
		let energy = (consumed + generated).saturating_mul(per_kwh) / 1_000;
		*needs.entry(keys::account(&keys.owner)).or_default() += fees.saturating_add(energy);
	}
	let missing = async |at: &At| {
		let mut calls = Vec::new();
		for (account, need) in &needs {
			let free = chain::account(at, account).await?.data.free;
			// Only below half of the need, so that a replay that is resumed or repeated tops up nothing.
			if free < need / 2 {
				calls.push(RuntimeCall::Balances(BalancesCall::transfer_keep_alive {
					dest: Address::Id(*account),
					value: need - free,
				}));
			}
		}
		Ok(calls)
	};
	let funder = keys::key(&args.play.keys.funder)?;
	batches(node, &funder, missing, "funding the accounts").await
}
