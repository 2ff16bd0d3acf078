/* Errors of the disk and a clock that jumps, for one process: preloaded by faults.py, never shipped.
 *
 * FAULT_FILE: a part of the paths that fail. FAULT_KIND: write, sync or full. FAULT_OF_1000: how often.
 * FAULT_SEED: which calls. FAULT_CLOCK: a file with seconds to add to the time of day, read at each call.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static uint64_t state;

static int chosen(void) {
    const char *rate = getenv("FAULT_OF_1000");
    if (!rate) return 0;
    if (!state) state = strtoull(getenv("FAULT_SEED"), 0, 10) * 2654435761u + 1;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (int)(state % 1000) < atoi(rate);
}

static int hit(int fd, const char *kind) {
    const char *wanted = getenv("FAULT_KIND"), *part = getenv("FAULT_FILE");
    char link[64], path[4096];
    if (!wanted || !part || strcmp(wanted, kind)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, part) && chosen();
}

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define FAIL(error) do { errno = error; return -1; } while (0)
#define WRITE(name, offset_t)                                                          \
    ssize_t name(int fd, const void *bytes, size_t count, offset_t offset) {           \
        REAL(name);                                                                    \
        if (hit(fd, "full")) FAIL(ENOSPC);                                             \
        if (hit(fd, "write")) {                                                        \
            real(fd, bytes, count / 2, offset); /* torn: half of it arrives */         \
            FAIL(EIO);                                                                 \
        }                                                                              \
        return real(fd, bytes, count, offset);                                         \
    }
#define SYNC(name)                                                                     \
    int name(int fd) {                                                                 \
        REAL(name);                                                                    \
        if (hit(fd, "sync")) FAIL(EIO);                                                \
        return real(fd);                                                               \
    }

WRITE(pwrite, off_t)
WRITE(pwrite64, off64_t)
SYNC(fsync)
SYNC(fdatasync)

static int64_t ahead(void) {
    static __thread int busy;
    const char *name = getenv("FAULT_CLOCK");
    char text[32] = {0};
    if (!name || busy) return 0;
    busy = 1;
    int fd = open(name, O_RDONLY);
    if (fd >= 0) {
        if (read(fd, text, sizeof text - 1) < 0) text[0] = 0;
        close(fd);
    }
    busy = 0;
    return strtoll(text, 0, 10);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL(clock_gettime);
    int code = real(clock, now);
    if (!code && clock == CLOCK_REALTIME) now->tv_sec += ahead();
    return code;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    REAL(gettimeofday);
    int code = real(now, zone);
    if (!code) now->tv_sec += ahead();
    return code;
}

time_t time(time_t *now) {
    struct timespec found;
    clock_gettime(CLOCK_REALTIME, &found);
    if (now) *now = found.tv_sec;
    return found.tv_sec;
}
