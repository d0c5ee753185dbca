import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

/** Whether a package that only the benchmark needs is there. */
export function isInstalled(name) {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * The adapters that can be measured here, and a line for each that cannot: a package that is not installed, `elixir` that is not
 * on the PATH.
 */
export async function findPeers(only) {
  if (!existsSync('../../dist/esm/index.js')) {
    throw new Error('The built package is measured, and dist is not there: run `npm run build` first.');
  }
  const ids = readdirSync('adapters').map((file) => file.replace(/\.mjs$/, ''));
  const unknown = only.filter((id) => !ids.includes(id) && id !== 'beam');
  if (unknown.length > 0) throw new Error(`There is no adapter ${unknown.join(', ')}: ${ids.join(', ')}, beam.`);

  const peers = [];
  const leftOut = [];
  for (const id of ids.filter((id) => only.length === 0 || only.includes(id))) {
    try {
      const { name, kind, note, skip = [] } = (await import(`../adapters/${id}.mjs`)).default;
      peers.push({ id, name, kind, note, skip });
    } catch (error) {
      if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
      leftOut.push({ id, why: 'its package is not installed: npm run bench:install' });
    }
  }
  if (only.length === 0 || only.includes('beam')) {
    const { stdout, error } = spawnSync('elixir', ['--version'], { encoding: 'utf8' });
    if (error === undefined) {
      const versions = stdout.match(/^(Erlang|Elixir).*$/gm)?.join(', ') ?? 'version unknown';
      const note = `${versions}; handlers are processes, there are no async ones`;
      peers.push({ id: 'beam', name: 'Elixir GenServer', kind: 'beam', note, skip: ['seqCallAsync'] });
    } else leftOut.push({ id: 'beam', why: 'elixir is not on the PATH' });
  }
  if (!isInstalled('autocannon'))
    leftOut.push({ id: 'http', why: 'autocannon is not installed: npm run bench:install' });
  return { peers, leftOut };
}
