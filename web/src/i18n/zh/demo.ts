/** Demo data, in Chinese (simplified). */
import type { demoTexts as English } from '../en/demo';

export const demoTexts: typeof English = {
  demo: {
    note: (records) => `演示数据：这里有 ${records} 条记录是合成的，公司、人员和所有地址都不存在。`,
    remove: '移除演示数据',
    removing: (left) => `正在移除演示数据，还剩 ${left} 条记录。`,
    goes: (records) => `演示带来了 ${records} 条记录，它们及其历史将被彻底删除，无法撤销。`,
    stays: '您和同事创建的记录会保留；被人改动过（且未删除）的演示记录，以及保留的记录所引用的演示记录，也会保留。',
    removed: (removed, kept) =>
      `已移除 ${removed} 条演示记录。${kept === null ? '' : `保留 ${kept} 条，因为有人在使用。`}`,
    failed: '演示数据未能移除。',
  },
};
