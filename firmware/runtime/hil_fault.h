/* Faults: what ports know of one, and what the runtime was doing. */
#ifndef HIL_FAULT_H
#define HIL_FAULT_H

#include <stddef.h>
#include <stdint.h>

#include "hil_wire.h"

/* What the device is doing, for fault frames. */
typedef struct {
    uint8_t phase; /* HIL_PHASE_* */
    uint16_t model;
    uint32_t run;
    uint32_t layer; /* HIL_NO_LAYER where no observer runs */
} hil_activity;

extern hil_activity hil_now;

typedef struct {
    uint8_t kind;            /* HIL_FAULT_* */
    uintptr_t registers[17]; /* r0-r12, sp, lr, pc, xpsr */
    uint32_t cfsr;
    uint32_t hfsr;
    uintptr_t mmfar;
    uintptr_t bfar;
    const uintptr_t *stack;
    size_t stack_words;
} hil_fault_record;

/* Sends the fault frame, and again for every frame that comes, until RESET. Needs about 400 bytes of stack. */
_Noreturn void hil_fault(const hil_fault_record *record);

#endif
