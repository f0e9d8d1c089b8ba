/* A clock that jumps: CLOCK_JUMP_S seconds, from the CLOCK_JUMP_AFTER-th look at it on. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time)
{
    static int looks;
    const char *jump = getenv("CLOCK_JUMP_S"), *after = getenv("CLOCK_JUMP_AFTER");
    int failed = (int)syscall(SYS_clock_gettime, clock, time);
    if (!failed && clock == CLOCK_REALTIME && jump && after && looks++ >= atoi(after))
        time->tv_sec += atol(jump);
    return failed;
}
