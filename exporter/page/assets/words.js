// What the API's names are called on the page. A name that is not listed (of a newer program) is shown as it is.

const said = (table) => (name) => table[name] ?? String(name).replaceAll('_', ' ');

export const severityWord = said({ok: 'OK', info: 'Note', warning: 'Warning', critical: 'Critical', unknown: 'Unknown'});
export const severities = ['ok', 'info', 'unknown', 'warning', 'critical'];

export const stateWord = said({
  serving: 'Serving', read_only: 'Read only', looking: 'Looking', syncing: 'Syncing',
  not_serving: 'Not serving', unreachable: 'Unreachable',
});
/** In the order of the numbers of the history's series "state". */
export const states = ['serving', 'read_only', 'looking', 'syncing', 'not_serving', 'unreachable'];

export const roleWord = said({
  leader: 'Leader', follower: 'Follower', observer: 'Observer', standalone: 'Standalone', read_only: 'Read only',
  unknown: 'Unknown',
});
/** The symbol of a role; a role that is not known has the symbol of the unknown. */
export const roleIcon = (name) => ({leader: 'leader', follower: 'follower', observer: 'observer',
                                    standalone: 'standalone', read_only: 'read_only'})[name] ?? 'unknown';
export const stateIcon = (name) => (states.includes(name) ? name : 'unknown');
export const severityIcon = (name) => (severities.includes(name) ? name : 'unknown');

export const eventWord = said({
  exporter_started: 'Watching began', member_lost: 'Member lost', member_regained: 'Member regained',
  member_state_changed: 'State changed', member_restarted: 'Member restarted', role_changed: 'Role changed',
  leader_lost: 'Leader lost', leader_elected: 'Leader elected', quorum_lost: 'Quorum lost',
  quorum_regained: 'Quorum regained', split_brain: 'Split brain', digest_mismatch: 'Data differs',
  configuration_changed: 'Configuration changed', configuration_drift: 'Configuration differs',
  unlisted_member: 'Unlisted member', connection_storm: 'Connection storm', expiry_storm: 'Session expiries',
  slow_fsync: 'Slow fsync', throttling: 'Throttling', source_failed: 'Source failed',
  source_recovered: 'Source recovered', canary_failed: 'Canary failed', canary_recovered: 'Canary recovered',
});

export const sourceWord = said({
  mntr: 'mntr', srvr: 'srvr', admin_monitor: 'AdminServer monitor', prometheus: 'Prometheus endpoint',
  admin_configuration: 'AdminServer configuration', admin_voting_view: 'AdminServer voting_view',
  admin_connections: 'AdminServer connections', admin_zabstate: 'AdminServer zabstate', admin_dirs: 'AdminServer dirs',
  admin_watch_summary: 'AdminServer watch_summary', admin_hash: 'AdminServer hash',
  admin_server_stats: 'AdminServer server_stats',
});
export const sourceStateWord = said({
  unresolved: 'Name not resolved', refused: 'Refused', unreachable: 'No route', timed_out: 'Timed out',
  tls_failure: 'TLS failure', closed: 'Closed without answer', not_whitelisted: 'Not whitelisted',
  not_serving: 'Not serving', truncated: 'Truncated', too_large: 'Too large', malformed: 'Malformed',
  http_error: 'HTTP error',
});
