/* Exceptions of Armv7-M and Armv8-M with the main extension: collect what is known of the fault and hand it to the runtime. */
#include <string.h>

#include "cortexm.h"
#include "hil_fault.h"
#include "hil_port.h"

enum { EXCEPTION_HARD = 3, EXCEPTION_MEMORY = 4, EXCEPTION_BUS = 5, EXCEPTION_USAGE = 6, EXCEPTION_SECURE = 7 };

#define CFSR_MSTKERR (1U << 4)
#define CFSR_MLSPERR (1U << 5)
#define CFSR_MMARVALID (1U << 7)
#define CFSR_STKERR (1U << 12)
#define CFSR_LSPERR (1U << 13)
#define CFSR_STKOF (1U << 20)

void cortexm_core_up(void)
{
    CORTEXM_CPACR |= 0xFU << 20; /* floating point and vectors; ignored where there are none */
    __asm__ volatile("dsb\nisb" ::: "memory");
}

void cortexm_faults_up(void)
{
    CORTEXM_SHCSR |= 0xFU << 16; /* memory, bus, usage and secure faults by their own names */
    CORTEXM_CCR |= 1U << 4;      /* division by zero is a fault */
}

/* Thread mode runs on the process stack, so the main stack is empty here and all registers are still as they were. */
__attribute__((naked)) void cortexm_fault_entry(void)
{
    __asm__ volatile("push {r0-r12, lr}\n"
                     "mov r0, sp\n"
                     "mrs r1, psp\n"
                     "tst lr, #4\n"
                     "it eq\n"
                     "addeq r1, sp, #56\n"
                     "mrs r2, ipsr\n"
                     "b cortexm_fault\n");
}

static uint8_t kind_of(uint32_t exception)
{
    switch (exception) {
    case EXCEPTION_HARD: return HIL_FAULT_HARD;
    case EXCEPTION_MEMORY: return HIL_FAULT_MEMORY;
    case EXCEPTION_BUS: return HIL_FAULT_BUS;
    case EXCEPTION_USAGE: return HIL_FAULT_USAGE;
    case EXCEPTION_SECURE: return HIL_FAULT_SECURE;
    default: return HIL_FAULT_INTERRUPT;
    }
}

static bool is_overflow(const hil_fault_record *record)
{
    uintptr_t low = hil_port_stack_low();
    uint32_t cfsr = record->cfsr;
    if ((cfsr & (CFSR_MSTKERR | CFSR_MLSPERR | CFSR_STKERR | CFSR_LSPERR | CFSR_STKOF)) != 0U) {
        return true;
    }
    /* The guard lies right under the stack: 1 MiB, see guard_mpu.c. */
    if ((cfsr & CFSR_MMARVALID) != 0U && record->mmfar < low && record->mmfar >= low - CORTEXM_GUARD_ZONE - 0x100000U) {
        return true;
    }
    return record->registers[13] < low;
}

/* saved: r0-r12 and EXC_RETURN; frame: what the core stacked, if it could. */
__attribute__((used)) _Noreturn static void fault(const uint32_t *saved, const uint32_t *frame, uint32_t exception)
    __asm__("cortexm_fault");

_Noreturn static void fault(const uint32_t *saved, const uint32_t *frame, uint32_t exception)
{
    static hil_fault_record record;
    memset(&record, 0, sizeof record);
    record.kind = kind_of(exception);
    record.cfsr = CORTEXM_CFSR;
    record.hfsr = CORTEXM_HFSR;
    record.mmfar = CORTEXM_MMFAR;
    record.bfar = CORTEXM_BFAR;
    for (size_t i = 0; i < 13U; i++) {
        record.registers[i] = saved[i];
    }
    uint32_t frame_size = (saved[13] & 0x10U) != 0U ? 32U : 104U;
    uintptr_t sp = (uintptr_t)frame + frame_size;
    bool stacked = (record.cfsr & (CFSR_MSTKERR | CFSR_STKERR | CFSR_STKOF)) == 0U;
    if (stacked) {
        record.registers[14] = frame[5];
        record.registers[15] = frame[6];
        record.registers[16] = frame[7];
        sp += (frame[7] & (1U << 9)) != 0U ? 4U : 0U;
    }
    record.registers[13] = sp;
    if (is_overflow(&record)) {
        record.kind = HIL_FAULT_STACK;
    }
    uintptr_t low = hil_port_stack_low();
    uintptr_t high = hil_port_stack_high();
    uintptr_t from = sp >= low && sp < high ? sp & ~(uintptr_t)3U : low;
    record.stack = (const uintptr_t *)from;
    record.stack_words = (high - from) / sizeof(uintptr_t);
    hil_fault(&record);
}
