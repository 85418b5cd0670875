/** An amount of whole yen as people write it: `formatYen(1200)` is `¥1,200`. */
export function formatYen(yen) {
  if (!Number.isInteger(yen) || yen < 0) throw new RangeError(`not an amount of yen: ${yen}`);
  return `¥${String(yen).replace(/\B(?=(\d{3})+$)/g, ",")}`;
}
