/* What Debian's libstdc++ and its headers ask of glibc that glibc 2.28 does not have. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <time.h>

/* Since 2.32: true lets reference counts do without atomics. False is always right. */
char __libc_single_threaded = 0;

/* Since 2.30: std::condition_variable's waits for a time of the steady clock. Older libstdc++ did the same as this. */
int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const struct timespec* deadline) {
  struct timespec now, real;
  if (clock == CLOCK_REALTIME) return pthread_cond_timedwait(condition, mutex, deadline);
  if (clock_gettime(clock, &now) != 0 || clock_gettime(CLOCK_REALTIME, &real) != 0) return errno;
  real.tv_sec += deadline->tv_sec - now.tv_sec;
  real.tv_nsec += deadline->tv_nsec - now.tv_nsec;
  if (real.tv_nsec < 0) {
    real.tv_nsec += 1000000000;
    --real.tv_sec;
  } else if (real.tv_nsec >= 1000000000) {
    real.tv_nsec -= 1000000000;
    ++real.tv_sec;
  }
  return pthread_cond_timedwait(condition, mutex, &real);
}
