// What the API's names are called on the page. A name that is not listed (of a newer program) is shown as it is.

const said = (table) => (name) => table[name] ?? String(name).replaceAll('_', ' ');

export const severityWord = said({ok: 'OK', info: 'Note', warning: 'Warning', critical: 'Critical', unknown: 'Unknown'});
export const severities = ['ok', 'info', 'unknown', 'warning', 'critical'];
/** Which severity comes first where the worst does. */
export const severityRank = {critical: 0, warning: 1, unknown: 2, info: 3, ok: 4};

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
  server_started: 'Server started', server_stopped: 'Server stopped', snapshot_written: 'Snapshot written',
  snapshot_failed: 'Snapshot failed', files_purged: 'Files purged', log_full: 'Log full', log_writable: 'Log has room',
  core_stalled: 'Core stalled',
});

/** Stages of a write, in the order of its way. */
export const stageWord = said({
  prepare: 'Prepare', log_queue: 'Log queue', append: 'Append', fsync: 'Sync', quorum: 'Quorum', apply: 'Apply',
  reply: 'Reply',
});
export const limitWord = said({
  znode_data: 'Largest znode', child_list_reply: 'Largest list of children', memory: 'Memory', log_disk: 'Disk of the log',
  snapshot_disk: 'Disk of the snapshots', descriptors: 'File descriptors', connections: 'Connections',
  connections_of_address: 'Connections of one address', outstanding_requests: 'Requests outstanding',
  zxid_counter: 'Zxids of the epoch',
});
export const limitHitWord = said({
  outstanding_requests: 'Reading paused: requests outstanding', unsent_bytes: 'Reading paused: answers not taken',
  log_space: 'Writes refused: no room for the log', namespaces: 'Requests counted without their namespace',
});
export const expiryCauseWord = said({
  server_stood_still: 'The server stood still', nothing_heard: 'Nothing was heard', not_back: 'Did not come back',
  closed_by_server: 'Closed by the server', never_seen: 'Never seen since the start',
});
export const timeoutUsedWord = said({
  one_third: 'Up to a third', two_thirds: 'Up to two thirds', whole: 'More than two thirds', overdue: 'All of it',
});
export const connectionWord = said({
  fresh: 'Nothing sent yet', opening: 'Opening a session', open: 'Open', finishing: 'Finishing',
});
export const memoryWord = said({
  znode_records: 'Znodes: records', znode_index: 'Znodes: index', znode_names_and_data: 'Znodes: names and data',
  watches: 'Watches', sessions: 'Sessions', transactions_in_flight: 'Transactions in flight', connections: 'Connections',
});
export const watchEventWord = said({
  created: 'Created', deleted: 'Deleted', data_changed: 'Data changed', children_changed: 'Children changed',
});
export const watchKindWord = said({data: 'Data', child: 'Children'});

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
