/* Apache's C client, unchanged, through what applications use of it: c_client HOSTS.
 *
 * Prints one line a check, free of times, ids and transaction numbers, so that the output is the same for every server.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zookeeper/zookeeper.h>

enum { kTimeoutMs = 10000, kPatienceS = 20, kEventsMax = 64 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int connected = 0;
static char events[kEventsMax][256];
static int events_size = 0;

static void session_watcher(zhandle_t* handle, int type, int state, const char* path, void* context) {
  (void)handle, (void)path, (void)context;
  pthread_mutex_lock(&mutex);
  if (type == ZOO_SESSION_EVENT) connected = state == ZOO_CONNECTED_STATE;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
}

static const char* type_name(int type) {
  if (type == ZOO_CREATED_EVENT) return "created";
  if (type == ZOO_DELETED_EVENT) return "deleted";
  if (type == ZOO_CHANGED_EVENT) return "changed";
  if (type == ZOO_CHILD_EVENT) return "child";
  return "other";
}

static void node_watcher(zhandle_t* handle, int type, int state, const char* path, void* context) {
  (void)handle, (void)state, (void)context;
  if (type == ZOO_SESSION_EVENT) return;
  pthread_mutex_lock(&mutex);
  if (events_size < kEventsMax) snprintf(events[events_size++], sizeof events[0], "%s %s", type_name(type), path);
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
}

static int wait_until(const int* number, int at_least) {
  struct timespec end;
  int result = 0;
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_sec += kPatienceS;
  pthread_mutex_lock(&mutex);
  while (*number < at_least && result == 0) result = pthread_cond_timedwait(&changed, &mutex, &end);
  pthread_mutex_unlock(&mutex);
  return result == 0;
}

static zhandle_t* open_handle(const char* hosts, const clientid_t* id) {
  connected = 0;
  zhandle_t* handle = zookeeper_init(hosts, session_watcher, kTimeoutMs, id, NULL, 0);
  if (handle == NULL || !wait_until(&connected, 1)) {
    printf("no session\n");
    exit(1);
  }
  return handle;
}

static void print_events(const char* name, int count) {
  wait_until(&events_size, count);
  pthread_mutex_lock(&mutex);
  printf("%s:", name);
  for (int i = 0; i < events_size; ++i) printf(" [%s]", events[i]);
  printf("\n");
  events_size = 0;
  pthread_mutex_unlock(&mutex);
}

static void say(const char* name, int code) { printf("%s: %d\n", name, code); }

static void data(zhandle_t* zk) {
  char path[256], buffer[256];
  int size = sizeof buffer;
  struct Stat stat, other;
  struct String_vector names;
  int code = zoo_create(zk, "/c", "one", 3, &ZOO_OPEN_ACL_UNSAFE, 0, path, sizeof path);
  printf("create: %d %s\n", code, path);
  code = zoo_create2(zk, "/c/n", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, 0, path, sizeof path, &stat);
  printf("create2: %d %s version %d, %d bytes\n", code, path, stat.version, stat.dataLength);
  code = zoo_exists(zk, "/c/n", 0, &other);
  printf("exists: %d, same stat %d\n", code, memcmp(&stat, &other, sizeof stat) == 0);
  code = zoo_get(zk, "/c/n", 0, buffer, &size, &stat);
  printf("null data: %d %d\n", code, size);
  code = zoo_set2(zk, "/c/n", "three", 5, 0, &stat);
  printf("set: %d version %d, %d bytes\n", code, stat.version, stat.dataLength);
  say("set, old version", zoo_set(zk, "/c/n", "x", 1, 0));
  code = zoo_create(zk, "/c/s-", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL | ZOO_SEQUENCE, path, sizeof path);
  printf("ephemeral sequential: %d %s\n", code, path);
  say("child of an ephemeral", zoo_create(zk, "/c/s-0000000001/x", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0));
  say("container", zoo_create(zk, "/c/container", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_CONTAINER, NULL, 0));
  say("ttl", zoo_create_ttl(zk, "/c/ttl", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_WITH_TTL, 3600000, NULL, 0));
  code = zoo_get_children2(zk, "/c", 0, &names, &stat);
  printf("children: %d %d, stat says %d\n", code, names.count, stat.numChildren);
  deallocate_String_vector(&names);
  say("no parent", zoo_create(zk, "/no/parent", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0));
  say("exists twice", zoo_create(zk, "/c", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0));
  say("not empty", zoo_delete(zk, "/c", -1));
  say("missing", zoo_delete(zk, "/c/missing", -1));
  say("delete", zoo_delete(zk, "/c/n", 1));
}

static void multi(zhandle_t* zk) {
  zoo_op_t operations[3];
  zoo_op_result_t results[3];
  char path[64];
  struct Stat stat;
  zoo_create_op_init(&operations[0], "/c/m", "v", 1, &ZOO_OPEN_ACL_UNSAFE, 0, path, sizeof path);
  zoo_set_op_init(&operations[1], "/c/m", "ww", 2, 0, &stat);
  zoo_check_op_init(&operations[2], "/c/m", 1);
  int code = zoo_multi(zk, 3, operations, results);
  printf("multi: %d %s, %d bytes, %d %d %d\n", code, path, stat.dataLength, results[0].err, results[1].err,
         results[2].err);
  zoo_create_op_init(&operations[0], "/c/never", "v", 1, &ZOO_OPEN_ACL_UNSAFE, 0, path, sizeof path);
  zoo_delete_op_init(&operations[1], "/c/missing", -1);
  zoo_delete_op_init(&operations[2], "/c/m", -1);
  code = zoo_multi(zk, 3, operations, results);
  printf("failed multi: %d, %d %d %d\n", code, results[0].err, results[1].err, results[2].err);
  say("nothing of it", zoo_exists(zk, "/c/never", 0, &stat));
}

static void watches(zhandle_t* zk) {
  struct Stat stat;
  struct String_vector names;
  zoo_create(zk, "/w", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
  zoo_wexists(zk, "/w/n", node_watcher, NULL, &stat);
  zoo_wget_children(zk, "/w", node_watcher, NULL, &names);
  deallocate_String_vector(&names);
  zoo_create(zk, "/w/n", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
  print_events("create", 2);
  zoo_wexists(zk, "/w/n", node_watcher, NULL, &stat);
  zoo_set(zk, "/w/n", "x", 1, -1);
  zoo_set(zk, "/w/n", "y", 1, -1);
  print_events("one shot", 1);
  zoo_wexists(zk, "/w/n", node_watcher, NULL, &stat);
  zoo_wget_children(zk, "/w", node_watcher, NULL, &names);
  deallocate_String_vector(&names);
  zoo_delete(zk, "/w/n", -1);
  print_events("delete", 2);
  zoo_wexists(zk, "/w/n", node_watcher, NULL, &stat);
  say("remove a watch", zoo_remove_watches(zk, "/w/n", ZWATCHTYPE_DATA, node_watcher, NULL, 0));
  say("remove no watch", zoo_remove_watches(zk, "/w/other", ZWATCHTYPE_DATA, node_watcher, NULL, 0));
}

static void acls(zhandle_t* zk, const char* hosts) {
  struct ACL_vector list;
  struct Stat stat;
  char buffer[64];
  int size = sizeof buffer;
  zhandle_t* other = open_handle(hosts, NULL);
  say("auth", zoo_add_auth(other, "digest", "user:secret", 11, NULL, NULL));
  say("creator", zoo_create(other, "/acl", "v", 1, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0));
  say("denied", zoo_get(zk, "/acl", 0, buffer, &size, &stat));
  size = sizeof buffer;
  say("allowed", zoo_get(other, "/acl", 0, buffer, &size, &stat));
  int code = zoo_get_acl(other, "/acl", &list, &stat);
  printf("list: %d, %d entry, %s %s\n", code, list.count, list.data[0].id.scheme, list.data[0].id.id);
  deallocate_ACL_vector(&list);
  list.count = 0;
  list.data = NULL;
  say("empty list", zoo_set_acl(other, "/acl", -1, &list));
  zookeeper_close(other);
}

static void sessions(zhandle_t* zk, const char* hosts) {
  struct Stat stat;
  zhandle_t* first = open_handle(hosts, NULL);
  const clientid_t id = *zoo_client_id(first);
  zoo_create(first, "/session", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0);
  zhandle_t* second = open_handle(hosts, &id);
  printf("the same session: %d\n", zoo_client_id(second)->client_id == id.client_id);
  zoo_wexists(zk, "/session", node_watcher, NULL, &stat);
  zookeeper_close(second);
  zookeeper_close(first);  // It may have taken the session back meanwhile; whoever has it ends it.
  print_events("closed", 1);
}

int main(int count, char** arguments) {
  if (count != 2) return 2;
  zoo_set_debug_level(0);
  zhandle_t* zk = open_handle(arguments[1], NULL);
  printf("negotiated: %d\n", zoo_recv_timeout(zk));
  data(zk);
  multi(zk);
  watches(zk);
  acls(zk, arguments[1]);
  sessions(zk, arguments[1]);
  say("close", zookeeper_close(zk));
  return 0;
}
