/** The server's binary as a child process. RAPPORT_BINARY names it. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export const binary = process.env.RAPPORT_BINARY ?? '../target/debug/rapport';

/** Starts the server; it has written its address before it prints its first line. */
export async function serve(data, listen, ...more) {
  const child = spawn(binary, ['serve', '--data', data, '--listen', listen, '--log-level', 'error', ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
  const url = await readFile(join(data, 'address'), 'utf8');
  const credentials = JSON.parse(await readFile(join(data, 'credentials.json'), 'utf8'));
  const stop = () =>
    new Promise((resolve) => {
      child.once('exit', resolve);
      child.kill('SIGTERM');
    });
  return { url, stop, ...credentials };
}
