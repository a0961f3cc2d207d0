/** The queue of duplicates, and two records side by side, in Chinese (simplified). */
import type { duplicatesTexts as English } from '../en/duplicates';

export const duplicatesTexts: typeof English = {
  duplicates: {
    title: '重复记录',
    lead: '看起来是同一条的记录。合并它们，或说明它们不重复；两者都可以撤销。',
    none: '没有待处理的记录',
    noneHelp: '记录进来时会自动比对，可能重复的会自动出现在这里。',
    waiting: (_n, count) => `${count} 对`,
    list: '最相似的在前',
    comparison: '两条记录对比',
    keep: '保留这一条',
    keepOf: (title, side) => `保留这一条：${title}（${side}）`,
    sides: { one: '较早', other: '较新' },
    stays: '保留',
    goes: '移入回收站',
    united: '两者都保留',
    swap: '对换',
    dismiss: '不重复',
    dismissed: (one, other) => `${one}与${other}不是同一条`,
    dismissFailed: '没有保存。',
    keys: 'J、K 上下切换，S 对换保留哪一条，M 合并，N 标为不重复。',
  },
};
