/** The board, in Chinese (simplified). */
import type { boardTexts as English } from '../en/board';

export const boardTexts: typeof English = {
  board: {
    none: '这些记录没有可作为列的阶段或选项。请为该对象添加一个选项字段。',
    pipeline: '销售流程',
    group: '分列依据',
    without: '无',
    keys: '方向键在卡片间移动。空格拿起卡片，左右键移动，空格放下，Esc 放回原处。',
    moveTo: '移动到',
    moveOf: (title) => `移动${title}`,
    moved: (title, column) => `${title}：${column}`,
    notMoved: (title) => `${title}移动失败。`,
    lifted: (title, column) => `已从${column}拿起${title}`,
    over: (title, column) => `${title}在${column}上方`,
    cancelled: (title) => `${title}已放回原处`,
    more: (count) => `另有 ${count} 张`,
    inTable: (count) => `以表格查看全部 ${count} 条`,
  },
};
