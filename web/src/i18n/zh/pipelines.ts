/** Pipelines and their stages, in Chinese (simplified). */
import type { pipelinesTexts as English } from '../en/pipelines';

export const pipelinesTexts: typeof English = {
  pipelines: {
    lead: '商机依次经过销售流程的各个阶段。拖动手柄或用方向键调整阶段与流程的顺序。',
    add: '新建销售流程',
    addStage: '新建阶段',
    stagesOf: (pipeline) => `${pipeline}的阶段`,
    edit: (name) => `编辑${name}`,
    edited: (name) => `${name}已修改`,
    remove: (name) => `删除${name}`,
    removed: (name) => `${name}已移入回收站`,
    standing: (n, count) => (n === 0 ? '其中没有记录。' : `其中有 ${count} 条记录。`),
    occupied: '期间有新的记录进入。请选择将它们移到哪里。',
    goesTo: '将它们移到',
    ordered: '顺序已修改',
    rots: (_n, count) => `${count} 天后视为停滞`,
  },
};
