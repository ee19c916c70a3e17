//! `commonwatt council`: moves motions, votes on them and closes them, for what governs a chain in practice.

pub mod args;
mod motion;
mod words;

pub use motion::create_community;

use crate::{
	chain::{
		self,
		council::{self, Motion},
		send::must,
		types::{Apply, Object},
		Access, At, Node, PATIENCE,
	},
	fault::Fault,
	keys,
	meter::key,
	text::moment,
};
use args::{ApplyArgs, Choice, CloseArgs, CouncilCommand, ObjectArgs, ProposeArgs, Signer, VoteArgs};
use commonwatt_client::council::{carry_out, cast, code_hash, move_it, Share};
use subxt::utils::{to_hex, AccountId32};
use subxt_signer::sr25519::Keypair;

/// Runs a subcommand.
pub async fn run(command: CouncilCommand) -> Result<(), Fault> {
	match command {
		CouncilCommand::List(args) => list(&open(&args.chain.access()).await?).await,
		CouncilCommand::Propose(args) => propose(*args).await,
		CouncilCommand::Vote(args) => vote(args).await,
		CouncilCommand::Close(args) => close(args).await,
		CouncilCommand::Object(args) => object(args).await,
		CouncilCommand::Apply(args) => apply(args).await,
	}
}

async fn open(access: &Access) -> Result<Node, Fault> {
	Node::open(access, PATIENCE).await
}

impl Signer {
	/// The key that signs.
	fn open(&self) -> Result<Keypair, Fault> {
		match (&self.key, &self.uri) {
			(Some(file), _) => key::open(file, &self.passphrase),
			(None, Some(uri)) => keys::key(uri),
			(None, None) => Err(Fault::Input("name the key that signs with --key or --uri".into())),
		}
	}
}

/// Shows everything that the council has to do with.
async fn list(node: &Node) -> Result<(), Fault> {
	let at = node.head().await?;
	let members = council::members(&at).await?;
	println!("{} member(s):", members.len());
	for member in &members {
		println!("  {member}");
	}
	let motions = council::motions(&at).await?;
	if motions.is_empty() {
		println!("no open motion");
	}
	for motion in &motions {
		show(&at, motion, &members);
	}
	if let Some((upgrade, objections)) = council::upgrade(&at).await? {
		println!(
			"an upgrade waits: code with the hash {}; from {} and block {} on anybody may apply it",
			to_hex(upgrade.code_hash),
			moment(upgrade.from),
			upgrade.from_block
		);
		println!(
			"  {} of {} member(s) object; {} stop it",
			objections.len(),
			members.len(),
			Share::Third.of(members.len())
		);
	}
	if let Some(key) = council::sudo_key(&at).await? {
		println!("{key} holds the Sudo key, and can do all of this alone");
	}
	Ok(())
}

/// Shows a motion.
fn show(at: &At, motion: &Motion, members: &[AccountId32]) {
	let votes = &motion.votes;
	println!("motion {}: {}", votes.index, words::call(&motion.call));
	let state = match () {
		() if motion.is_approved() => "enough: close it to carry it out".into(),
		() if motion.is_refused(members.len()) => "refused: close it".into(),
		() if at.block_number() >= u64::from(votes.end) => "its time is over: close it".into(),
		() => format!("open until block {} (now {})", votes.end, at.block_number()),
	};
	println!(
		"  {} yes, {} no of {}; needs {} yes; {state}",
		votes.ayes.len(),
		votes.nays.len(),
		members.len(),
		votes.threshold
	);
	for (vote, who) in [("yes", &votes.ayes), ("no", &votes.nays)] {
		for member in who {
			println!("  {vote}: {member}");
		}
	}
}

/// Moves a motion and votes for it.
async fn propose(args: ProposeArgs) -> Result<(), Fault> {
	let signer = args.signer.open()?;
	let node = open(&args.chain.access()).await?;
	let at = node.head().await?;
	let draft = motion::draft(&at, &args.what).await?;
	let seats = seats(&at, &signer).await?;
	let needed = draft.share.of(seats);
	println!("motion: {}", draft.words);
	let moved = move_it(&node, &signer, draft.call, needed, &draft.words).await?;
	let Some(motion) = moved else {
		println!("carried out at once: the council has {seats} member(s), and {needed} yes is enough");
		return Ok(());
	};
	println!(
		"motion {} is open; it needs {needed} of {seats} votes and has yours",
		motion.votes.index
	);
	println!(
		"the others: commonwatt council vote {} yes; then anybody: commonwatt council close {}",
		motion.votes.index, motion.votes.index
	);
	Ok(())
}

/// How many members there are; an error unless the signer is one of them.
async fn seats(at: &At, signer: &Keypair) -> Result<usize, Fault> {
	let members = council::members(at).await?;
	let account = keys::account(signer);
	if !members.contains(&account) {
		return Err(Fault::Input(format!(
			"{account} is not a member of the council: `commonwatt council list` shows the members"
		)));
	}
	Ok(members.len())
}

/// The open motion with this number.
async fn numbered(at: &At, number: u32) -> Result<Motion, Fault> {
	let motions = council::motions(at).await?;
	let found = motions.into_iter().find(|motion| motion.votes.index == number);
	found.ok_or_else(|| {
		Fault::Input(format!(
			"there is no open motion {number}: `commonwatt council list` shows them"
		))
	})
}

async fn vote(args: VoteArgs) -> Result<(), Fault> {
	let signer = args.signer.open()?;
	let node = open(&args.chain.access()).await?;
	let at = node.head().await?;
	seats(&at, &signer).await?;
	let motion = numbered(&at, args.motion).await?;
	println!("motion {}: {}", motion.votes.index, words::call(&motion.call));
	cast(&node, &signer, &motion, args.choice == Choice::Yes).await?;
	let at = node.head().await?;
	match numbered(&at, args.motion).await {
		Ok(motion) => show(&at, &motion, &council::members(&at).await?),
		Err(_) => println!("the vote is in; the motion has been closed"),
	}
	Ok(())
}

async fn close(args: CloseArgs) -> Result<(), Fault> {
	let signer = args.signer.open()?;
	let node = open(&args.chain.access()).await?;
	let at = node.head().await?;
	let motion = numbered(&at, args.motion).await?;
	println!("motion {}: {}", motion.votes.index, words::call(&motion.call));
	let seats = council::members(&at).await?.len();
	if !motion.is_approved() && !motion.is_refused(seats) && at.block_number() < u64::from(motion.votes.end) {
		return Err(Fault::Input(format!(
			"motion {} cannot be closed yet: {} of {} votes are in, and its time is over at block {} (now {})",
			motion.votes.index,
			motion.votes.ayes.len(),
			motion.votes.threshold,
			motion.votes.end,
			at.block_number()
		)));
	}
	match carry_out(&node, &signer, &motion).await? {
		true => println!("carried out"),
		false => println!("refused: not enough members voted yes"),
	}
	Ok(())
}

async fn object(args: ObjectArgs) -> Result<(), Fault> {
	let signer = args.signer.open()?;
	let node = open(&args.chain.access()).await?;
	let at = node.head().await?;
	let seats = seats(&at, &signer).await?;
	let (upgrade, _) = motion::waiting(&at).await?;
	let hash = to_hex(upgrade.code_hash);
	if args.hash.as_ref().is_some_and(|wanted| *wanted != hash) {
		return Err(Fault::Input(format!(
			"the upgrade that waits has the hash {hash}"
		)));
	}
	let call = ("Upgrades", "object");
	let object = Object {
		code_hash: upgrade.code_hash.0,
	};
	must(&node, &signer, call, object, &format!("the objection to {hash}")).await?;
	match council::upgrade(&node.head().await?).await? {
		Some((_, objections)) => println!(
			"{} of {seats} member(s) object to the code with the hash {hash}; {} stop it",
			objections.len(),
			Share::Third.of(seats)
		),
		None => println!("the upgrade to the code with the hash {hash} is stopped"),
	}
	Ok(())
}

async fn apply(args: ApplyArgs) -> Result<(), Fault> {
	let code = motion::code(&args.file)?;
	let signer = args.signer.open()?;
	let node = open(&args.chain.access()).await?;
	let at = node.head().await?;
	let (upgrade, _) = motion::waiting(&at).await?;
	let hash = code_hash(&code);
	if hash != upgrade.code_hash.0 {
		return Err(Fault::Input(format!(
			"{} has the hash {}, but the council decided on {}",
			args.file.display(),
			to_hex(hash),
			to_hex(upgrade.code_hash)
		)));
	}
	let now = chain::era(&at).await?.map_or(0, |view| view.now_ms);
	if !upgrade.is_due(&at, now) {
		return Err(Fault::Input(format!(
			"the upgrade waits until {} and block {}; the chain's clock shows {} at block {}",
			moment(upgrade.from),
			upgrade.from_block,
			moment(now),
			at.block_number()
		)));
	}
	must(
		&node,
		&signer,
		("Upgrades", "apply"),
		Apply { code },
		"applying the upgrade",
	)
	.await?;
	println!("the code with the hash {} is the runtime now", to_hex(hash));
	Ok(())
}
