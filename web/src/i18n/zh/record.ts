/** One record: its fields, what happened to it, what belongs to it, in Chinese (simplified). */
import type { recordTexts as English } from '../en/record';

export const recordTexts: typeof English = {
  record: {
    created: (title) => `${title}已创建`,
    notCreated: '没有保存',
    deleted: (title) => `${title}已移入回收站`,
    notDeleted: (title) => `${title}删除失败。`,
    allFields: '显示全部字段',
    similar: '是下面的某一条吗？',
  },
};
