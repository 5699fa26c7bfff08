/* Vector table and reset. Models run in thread mode on the process stack; exceptions use the main stack, which they
 * have to themselves, so that a fault can be reported even when the stack is what failed. */
#include "cortexm.h"
#include "hil_port.h"

extern uint32_t hil_handler_stack_end[];
extern uint32_t hil_data_start[];
extern uint32_t hil_data_end[];
extern uint32_t hil_data_load[];
extern uint32_t hil_bss_start[];
extern uint32_t hil_bss_end[];

_Noreturn void hil_reset(void);

typedef union {
    void (*handler)(void);
    const void *stack;
} vector;

__attribute__((section(".vectors"), used)) static const vector vectors[16] = {
    {.stack = hil_handler_stack_end}, {.handler = hil_reset},
    {.handler = cortexm_fault_entry}, {.handler = cortexm_fault_entry},
    {.handler = cortexm_fault_entry}, {.handler = cortexm_fault_entry},
    {.handler = cortexm_fault_entry}, {.handler = cortexm_fault_entry},
    {.handler = cortexm_fault_entry}, {.handler = cortexm_fault_entry},
    {.handler = cortexm_fault_entry}, {.handler = cortexm_fault_entry},
    {.handler = cortexm_fault_entry}, {.handler = cortexm_fault_entry},
    {.handler = cortexm_fault_entry}, {.handler = cortexm_fault_entry},
};

__attribute__((naked)) void hil_reset(void)
{
    __asm__ volatile("ldr r0, =hil_stack_end\n"
                     "msr psp, r0\n"
                     "movs r0, #2\n"
                     "msr control, r0\n"
                     "isb\n"
                     "b cortexm_start\n"
                     ".ltorg\n");
}

__attribute__((used)) _Noreturn static void start(void) __asm__("cortexm_start");

_Noreturn static void start(void)
{
    CORTEXM_CPACR |= 0xFU << 20; /* floating point and vectors; ignored where there are none */
    __asm__ volatile("dsb\nisb" ::: "memory");
    const uint32_t *from = hil_data_load;
    for (uint32_t *to = hil_data_start; to < hil_data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = hil_bss_start; to < hil_bss_end; to++) {
        *to = 0;
    }
    CORTEXM_SHCSR |= 0xFU << 16; /* memory, bus, usage and secure faults by their own names */
    CORTEXM_CCR |= 1U << 4;      /* division by zero is a fault */
    cortexm_guard_up();
    hil_board_init();
    hil_main();
}

uintptr_t hil_port_stack_low(void)
{
    return (uintptr_t)hil_stack_bottom + CORTEXM_GUARD_ZONE;
}

uintptr_t hil_port_stack_high(void)
{
    return (uintptr_t)hil_stack_end;
}

/* Four instructions a round. */
uint32_t hil_port_known_loop(uint32_t instructions)
{
    uint32_t rounds = instructions / 4U;
    __asm__ volatile("1: subs %0, %0, #1\n"
                     "nop\n"
                     "nop\n"
                     "bne 1b\n"
                     : "+l"(rounds)
                     :
                     : "cc");
    return instructions;
}

_Noreturn void hil_port_reset(void)
{
    __asm__ volatile("dsb" ::: "memory");
    CORTEXM_AIRCR = 0x05FA0004U;
    for (;;) {
        __asm__ volatile("nop");
    }
}

#ifdef HIL_TEST_FAULTS
void hil_port_bad_instruction(void)
{
    __asm__ volatile("udf #0");
}
#endif
