/** One or many: a text with a number takes it twice where grammar needs it, as it is and formatted. */
export const s = (n: number, one: string, other: string) => (n === 1 ? one : other);
