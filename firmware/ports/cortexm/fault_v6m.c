/* Exceptions of Armv6-M: every fault is a HardFault, and nothing says why (Armv6-M Architecture Reference Manual B1.5). */
#include <string.h>

#include "cortexm.h"
#include "hil_fault.h"
#include "hil_port.h"

enum { EXCEPTION_HARD = 3 };

#define FRAME_WORDS 8U

void cortexm_core_up(void)
{
}

void cortexm_faults_up(void)
{
}

/* Thread mode runs on the process stack, so the main stack is empty here and all registers are still as they were. r8 to
 * r11 and lr are pushed through r3 to r7, which are saved by then: no other instruction of this core pushes them. */
__attribute__((naked)) void cortexm_fault_entry(void)
{
    __asm__ volatile("sub sp, #32\n"
                     "push {r0-r7}\n"
                     "mov r3, r8\n"
                     "mov r4, r9\n"
                     "mov r5, r10\n"
                     "mov r6, r11\n"
                     "mov r7, r12\n"
                     "add r0, sp, #32\n"
                     "stm r0!, {r3-r7}\n"
                     "mov r3, lr\n"
                     "str r3, [r0]\n"
                     "mov r0, sp\n"
                     "mrs r1, psp\n"
                     "movs r2, #4\n"
                     "tst r3, r2\n"
                     "bne 1f\n"
                     "add r1, sp, #64\n"
                     "1: mrs r2, ipsr\n"
                     "b cortexm_fault\n");
}

/* saved: r0-r12 and EXC_RETURN; frame: what the core stacked, if it could. A frame that reaches under the stack's guard
 * zone was refused by the guard: where the stack pointer is tells that, as no register does. */
__attribute__((used)) _Noreturn static void fault(const uint32_t *saved, const uint32_t *frame, uint32_t exception)
    __asm__("cortexm_fault");

_Noreturn static void fault(const uint32_t *saved, const uint32_t *frame, uint32_t exception)
{
    static hil_fault_record record;
    memset(&record, 0, sizeof record);
    record.kind = exception == EXCEPTION_HARD ? HIL_FAULT_HARD : HIL_FAULT_INTERRUPT;
    for (size_t i = 0; i < 13U; i++) {
        record.registers[i] = saved[i];
    }
    uintptr_t sp = (uintptr_t)(frame + FRAME_WORDS);
    uintptr_t low = hil_port_stack_low();
    uintptr_t high = hil_port_stack_high();
    bool is_process = (saved[13] & 4U) != 0U;
    if (!is_process || (uintptr_t)frame >= (uintptr_t)hil_stack_bottom) {
        record.registers[14] = frame[5];
        record.registers[15] = frame[6];
        record.registers[16] = frame[7];
        sp += (frame[7] & (1U << 9)) != 0U ? 4U : 0U;
    }
    record.registers[13] = sp;
    if (is_process && (uintptr_t)frame < low) {
        record.kind = HIL_FAULT_STACK;
    }
    uintptr_t from = sp >= low && sp < high ? sp & ~(uintptr_t)3U : low;
    record.stack = (const uintptr_t *)from;
    record.stack_words = (high - from) / sizeof(uintptr_t);
    hil_fault(&record);
}
