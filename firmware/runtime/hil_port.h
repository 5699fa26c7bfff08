/* What a port gives the runtime. Every function may be called from the fault handler as well. */
#ifndef HIL_PORT_H
#define HIL_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HIL_TICK_NONE = 0, HIL_TICK_EMULATED = 1, HIL_TICK_CYCLES = 2, HIL_TICK_HOST_NS = 3 };
enum { HIL_GUARD_NONE = 0, HIL_GUARD_MPU = 1, HIL_GUARD_LIMIT = 2, HIL_GUARD_CANARY = 3 };

typedef struct {
    const char *core;
    uint32_t clock_hz;
    uint32_t tick_hz;
    uint8_t tick_unit;
} hil_port_facts;

extern const hil_port_facts hil_port;

/* Bytes in: waits for at least one, returns how many came (1..size). A stream that has ended ends the program. */
size_t hil_port_read(uint8_t *bytes, size_t size);

/* Bytes out: returns when all are handed over. */
void hil_port_write(const uint8_t *bytes, size_t size);

/* Free-running counter, wraps at 2^32. */
uint32_t hil_port_tick(void);

/* The same clock, never wrapping, may lag by less than 2^31 ticks: tells how often hil_port_tick wrapped. */
uint64_t hil_port_tick_coarse(void);

/* A loop of exactly `instructions` instructions where that is known (at least 16, a multiple of 4); 0 is returned
 * where it is not. */
uint32_t hil_port_known_loop(uint32_t instructions);

/* Lowest and highest+1 address of the stack that models run on; both 0 where the port cannot tell. */
uintptr_t hil_port_stack_low(void);
uintptr_t hil_port_stack_high(void);

/* One of HIL_GUARD_*, and whether the guard still stands (always true for a guard that faults by itself). */
uint8_t hil_port_guard(void);
bool hil_port_guard_intact(void);

/* Starts the firmware again from its reset vector. */
_Noreturn void hil_port_reset(void);

#ifdef HIL_TEST_FAULTS
/* Reads an address where nothing answers; executes an undefined instruction. */
void hil_port_bad_access(void);
void hil_port_bad_instruction(void);
#endif

/* The runtime's entry, called by the port once its stack, data and bytes are in order. */
_Noreturn void hil_main(void);

#endif
