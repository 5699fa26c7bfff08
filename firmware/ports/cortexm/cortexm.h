/* What the parts of a Cortex-M port share. */
#ifndef CORTEXM_H
#define CORTEXM_H

#include <stdint.h>

#define CORTEXM_REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define CORTEXM_VTOR CORTEXM_REGISTER(0xE000ED08U)
#define CORTEXM_AIRCR CORTEXM_REGISTER(0xE000ED0CU)
#define CORTEXM_CCR CORTEXM_REGISTER(0xE000ED14U)
#define CORTEXM_SHCSR CORTEXM_REGISTER(0xE000ED24U)
#define CORTEXM_CFSR CORTEXM_REGISTER(0xE000ED28U)
#define CORTEXM_HFSR CORTEXM_REGISTER(0xE000ED2CU)
#define CORTEXM_MMFAR CORTEXM_REGISTER(0xE000ED34U)
#define CORTEXM_BFAR CORTEXM_REGISTER(0xE000ED38U)
#define CORTEXM_CPACR CORTEXM_REGISTER(0xE000ED88U)

/* Set by the linker script. The guard's size is the symbol's address: its logarithm to base 2. */
extern uint32_t hil_stack_bottom[];
extern uint32_t hil_stack_end[];
extern uint8_t hil_stack_guard_log2[];

/* Bytes at the bottom of the stack that belong to the guard; painted and measured is only what lies above. */
#define CORTEXM_GUARD_ZONE 64U

/* Turns on what the core has; faults by their own names, once memory is in order (fault.c, or fault_v6m.c where the core
 * is of Armv6-M). */
void cortexm_core_up(void);
void cortexm_faults_up(void);

/* Puts the stack guard up (guard_mpu.c or guard_limit.c). */
void cortexm_guard_up(void);

/* What must be done before RAM is written for the first time; it has no stack. Nothing, unless the port defines it. */
void cortexm_early(void);

/* The port's own start, once memory is in order: clocks, pins, the byte stream. */
void hil_board_init(void);

/* Opens the byte stream of the link that was chosen. */
void hil_stream_init(void);

/* Every exception but reset. */
void cortexm_fault_entry(void);

#endif
