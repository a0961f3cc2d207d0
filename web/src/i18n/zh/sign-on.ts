/** Sign-on by a provider, in Chinese (simplified). */
import type { signOnTexts as English } from '../en/sign-on';

export const signOnTexts: typeof English = {
  signOn: {
    continueWith: (provider) => `使用 ${provider} 登录`,
    orPassword: '或使用邮箱和密码',
    failed: (provider) => `使用 ${provider} 登录未成功`,
    failedSomewhere: '登录未成功',
    reasons: {
      cancelled: '你没有在那里完成登录。请重试，或改用其他方式登录。',
      domain: '只允许本组织的邮箱登录，且须经提供方验证。',
      expired: '用时过长，或是在另一个窗口中开始的。请重试。',
      failed: '我们这边出了问题。请重试；如仍失败，请告知管理员。',
      inactive: '你在这里的账户已停用，请联系管理员。',
      linked:
        '你在这里的账户已绑定该提供方的另一个身份。请用密码登录后在“我的账户”中解除绑定，或向管理员索取密码链接。',
      own_address: '使用你邮箱的账户的邮箱是其用户自行填写的。请让管理员在“设置”的人员中确认该邮箱。',
      rate: '失败次数过多，请稍后再试。',
      refused: '提供方拒绝了登录。请重试；如仍失败，请告知管理员。',
      unknown: '这里没有使用你邮箱的账户，或提供方尚未验证该邮箱。请让管理员邀请你。',
      unreachable: '无法连接提供方。请稍后重试，或改用其他方式登录。',
      untrusted: '无法核实提供方给出的身份信息，请告知管理员。',
    },
    title: '单点登录',
    help: '使用它们无需密码即可登录。解除绑定后，若再次以相同邮箱登录，会重新绑定。',
    needsPassword: '请先设置密码：否则你将无法再登录。',
    isOver: '此处已不再配置，无法用它登录',
    since: '绑定时间',
    lastUsed: '最近使用',
    unlink: (provider) => `解除 ${provider} 的绑定`,
    unlinked: (provider) => `已解除 ${provider} 的绑定`,
    provider: '提供方',
  },
};
