/* Loops that are timed: what the generated calibrate_loops.S and calibrate_tables.c offer. docs/cycles.md. */
#ifndef CALIBRATE_H
#define CALIBRATE_H

#include <stdint.h>

/* Where the loops' base registers point: r0 to `data`, r1 to one of the others. `data` holds its own address in its first
 * word, and zero from its fifth on. */
typedef struct {
    uint32_t *data;
    uint32_t *data_1;
    const uint32_t *rodata;
    uint32_t *arena;
} calibrate_pointers;

typedef void (*calibrate_function)(uint32_t iterations, const calibrate_pointers *pointers);

/* Two for each loop: with its copies of the body, and with twice as many. */
extern const calibrate_function calibrate_functions[];
extern const uint32_t calibrate_function_count;

/* What loops walk through, in flash and in the arena's memory. */
extern const uint32_t calibrate_rodata[];
extern uint32_t calibrate_arena[];

#endif
