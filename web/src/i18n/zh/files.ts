/** Contents of files, the trash emptied, the whole workspace, in Chinese (simplified). */
import type { filesTexts as English } from '../en/files';

export const filesTexts: typeof English = {
  files: {
    attach: '添加附件',
    attached: (name) => `已添加附件 ${name}`,
    drop: '将文件拖到这里，或用按钮添加。',
    upload: '上传文件',
    download: '下载',
    replace: '替换内容',
    replaced: (title) => `${title}的内容已替换`,
    failed: (name) => `${name} 上传失败。`,
    details: '详情',
    about: (title) => `${title}的详情`,
    emptyTrash: '清空回收站',
    emptyTrashOf: (what) => `清空${what}的回收站`,
    emptyTrashHelp: '其中你有权删除的记录将被彻底删除，包括文件内容，无法恢复；其历史仍会保留。',
    purged: (_, count) => `已彻底删除 ${count} 条记录`,
    notPurged: '回收站没有清空',
  },
  workspace: {
    lead: '本系统的全部内容，存为一个任何程序都能读取的文件：附有说明的 JSON 行压缩包。它属于你，随时可以取走。',
    download: '下载整个工作区',
    facts: [
      '包含全部记录（含回收站）、人员、团队、角色、视图、自定义对象和文件内容。',
      '不含密码、密钥和改动历史；这些请用 rapport backup 备份。',
      '用 rapport import-workspace 可导入没有记录的新系统，两种数据库均可。',
      '审计会记录是谁下载的。',
    ],
  },
};
