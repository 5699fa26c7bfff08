/* The end of a run that went wrong, as an error that comes again at every command until `reset`. */
#include <string.h>

#include "hil_fault.h"
#include "hil_port.h"
#include "mlperf.h"

_Noreturn void hil_fault(const hil_fault_record *record)
{
    for (;;) {
        mlperf_put("e-[Fault ");
        mlperf_put_unsigned(record->kind);
        mlperf_put(" at 0x");
        mlperf_put_hex((uint32_t)record->registers[15], 8U);
        mlperf_put(", called from 0x");
        mlperf_put_hex((uint32_t)record->registers[14], 8U);
        mlperf_put(", CFSR 0x");
        mlperf_put_hex(record->cfsr, 8U);
        mlperf_put(record->kind == HIL_FAULT_STACK ? ": the stack overflowed]" : "]");
        mlperf_end_line();
        mlperf_ready();
        char *const *words = mlperf_next_command();
        if (words != NULL && strcmp(words[0], "reset") == 0) {
            hil_port_reset();
        }
    }
}
