/* Makes fsync(2) and fdatasync(2) slow on demand, without root: an LD_PRELOAD library for a server under test.
 *
 * The file that WK_LAB_FSYNC_DELAY_FILE names holds the delay in microseconds; it is read before each call, so that the
 * delay can change while the server runs.  No file, or an empty one, means no delay. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void wait_as_asked(void) {
  const char* path = getenv("WK_LAB_FSYNC_DELAY_FILE");
  char text[32];
  int file = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  ssize_t size = read(file, text, sizeof text - 1);
  close(file);
  if (size <= 0) return;
  text[size] = '\0';
  long microseconds = strtol(text, NULL, 10);
  if (microseconds <= 0) return;
  struct timespec delay = {microseconds / 1000000, (microseconds % 1000000) * 1000};
  nanosleep(&delay, NULL);
}

typedef int (*sync_function)(int);

int fsync(int file) {
  wait_as_asked();
  return ((sync_function)dlsym(RTLD_NEXT, "fsync"))(file);
}

int fdatasync(int file) {
  wait_as_asked();
  return ((sync_function)dlsym(RTLD_NEXT, "fdatasync"))(file);
}
