/* Vector table and reset. Models run in thread mode on the process stack; exceptions use the main stack, which they
 * have to themselves, so that a fault can be reported even when the stack is what failed. */
#include "boot_stage.h"
#include "cortexm.h"
#include "hil_port.h"

extern uint32_t hil_handler_stack_end[];

/* Tables of the linker script: what to copy to where, what to set to zero. Addresses and sizes are multiples of 8. */
typedef struct {
    const uint64_t *from;
    uint64_t *to;
    uint32_t size;
} copy_entry;
typedef struct {
    uint64_t *at;
    uint32_t size;
} zero_entry;
extern const copy_entry hil_copy_table[];
extern const copy_entry hil_copy_table_end[];
extern const zero_entry hil_zero_table[];
extern const zero_entry hil_zero_table_end[];

/* In no image whose port has no stages: the linker leaves it out. */
volatile uint32_t hil_boot_stage;

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

__attribute__((weak)) void cortexm_early(void)
{
}

#if __ARM_ARCH >= 7
#define STORE_TWO_WORDS "strd r2, r3, [r0], #8\n"
#else
#define STORE_TWO_WORDS "stm r0!, {r2, r3}\n"
#endif

/* All of the stack is written in whole words before it is used: memory with error correction must be. */
__attribute__((naked)) void hil_reset(void)
{
    __asm__ volatile("ldr r1, =hil_stack_end\n"
                     "msr psp, r1\n"
                     "movs r0, #2\n"
                     "msr control, r0\n"
                     "isb\n"
                     "bl cortexm_early\n"
                     "ldr r0, =hil_stack_bottom\n"
                     "ldr r1, =hil_stack_end\n"
                     "movs r2, #0\n"
                     "movs r3, #0\n"
                     "1: " STORE_TWO_WORDS
                     "cmp r0, r1\n"
                     "blo 1b\n"
                     "b cortexm_start\n"
                     ".ltorg\n");
}

__attribute__((used)) _Noreturn static void start(void) __asm__("cortexm_start");

_Noreturn static void start(void)
{
    cortexm_core_up();
    CORTEXM_VTOR = (uint32_t)(uintptr_t)vectors;
    for (const copy_entry *entry = hil_copy_table; entry < hil_copy_table_end; entry++) {
        for (uint32_t i = 0; entry->from != entry->to && i < entry->size / 8U; i++) {
            entry->to[i] = entry->from[i];
        }
    }
    for (const zero_entry *entry = hil_zero_table; entry < hil_zero_table_end; entry++) {
        for (uint32_t i = 0; i < entry->size / 8U; i++) {
            entry->at[i] = 0;
        }
    }
    __asm__ volatile("dsb\nisb" ::: "memory"); /* code may have been copied */
    cortexm_faults_up();
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
