// Short names of members: as short as they stay different, the full name beside them as title.

const kIp = /^(\d+\.\d+\.\d+\.\d+|\[.*\])$/;
const host = (name) => name.replace(/:\d+$/, '');
const firstLabel = (name) => (kIp.test(host(name)) ? host(name) : host(name).split('.')[0]);
const distinct = (names) => new Set(names).size === names.length && names.every((name) => name !== '');

const port = (name) => /:\d+$/.exec(name)?.[0] ?? '';
const oneHost = (names) => new Set(names.map(host)).size === 1;

/** full name → short name: the host's first label, else the host, else (on one host) the port, else all of it. */
export function shortNames(names) {
  for (const shorten of [firstLabel, host, ...(oneHost(names) ? [port] : [])]) {
    const shorter = names.map(shorten);
    if (distinct(shorter)) return new Map(names.map((name, index) => [name, shorter[index]]));
  }
  return new Map(names.map((name) => [name, name]));
}
