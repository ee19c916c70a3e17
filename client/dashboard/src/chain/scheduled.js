/**
 * The last decided change of a value that changes from an era on, or the value itself if none is decided.
 *
 * @param {{ now: any, next?: any, after_next?: any }} scheduled
 * @returns {{ value: any, from_era: number }} era 0 for what holds already
 */
export const decided = ({ now, next, after_next }) => after_next ?? next ?? { value: now, from_era: 0 };
