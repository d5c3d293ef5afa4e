/* The few things of librdkafka's private headers that its example `rdkafka_performance` uses, which
 * its development package leaves out. */

#ifndef VARVE_RD_H
#define VARVE_RD_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define RD_MIN(a, b) ((a) < (b) ? (a) : (b))
#define RD_MAX(a, b) ((a) > (b) ? (a) : (b))
#define rd_snprintf(...) snprintf(__VA_ARGS__)
#define RD_UNUSED __attribute__((unused))
#define RD_NORETURN __attribute__((noreturn))
#define RD_FORMAT(...) __attribute__((format(__VA_ARGS__)))

#endif
