/** Saved views, and lists that are put in order, in Chinese (simplified). */
import type { viewsTexts as English } from '../en/views';

export const viewsTexts: typeof English = {
  views: {
    title: '视图',
    all: '全部',
    mine: '我的视图',
    others: '他人的视图',
    save: '另存为视图',
    update: (name) => `保存到“${name}”`,
    manage: '排序、命名与共享',
    manageHelp: '拖动手柄或用方向键调整顺序。带星标的视图是您打开列表时的默认视图。',
    remove: (name) => `删除“${name}”`,
    name: '名称',
    nameOf: (name) => `“${name}”的名称`,
    shared: '谁能看到',
    sharedOf: (name) => `谁能看到“${name}”`,
    sharing: { private: '仅自己', all: '所有人' },
    ofTeam: (team) => `团队：${team}`,
    first: '打开列表时的默认视图',
    firstOf: (name) => `打开列表时默认显示“${name}”`,
    saved: (name) => `视图“${name}”已保存`,
    removed: (name) => `视图“${name}”已删除`,
    failed: '视图保存失败。',
    removeFailed: '视图删除失败。',
  },
  order: {
    keys: '拖动，或按上下方向键',
    move: (name) => `移动${name}`,
    moved: (name, place, count) => `${name}现在是第 ${place} 个，共 ${count} 个`,
  },
};
