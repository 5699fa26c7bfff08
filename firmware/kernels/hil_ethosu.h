/* Arm's Ethos-U55 and U65: runs a command stream that Vela made. Needs no other code.
 *
 * Registers as Arm's public Technical Reference Manuals of both have them. One caller at a time. docs/ethos-u.md says what
 * memory has to be like, and what the macros set:
 *   HIL_ETHOSU_BASE       address of the registers; the Corstone-300's where not given
 *   HIL_ETHOSU_PROT       1 privileged and secure (default), 3 privileged and non-secure, 0 and 2 for user
 *   HIL_ETHOSU_REGIONCFG  port of each region, two bits each: 0, 1 AXI0; 2, 3 AXI1
 *   HIL_ETHOSU_QCONFIG    port that the commands are read through
 *   HIL_ETHOSU_AXI_LIMIT  of each port: bursts, kind of memory, transfers under way
 *   HIL_ETHOSU_POLLS      how often the NPU is asked whether it is done */
#ifndef HIL_KERNELS_HIL_ETHOSU_H
#define HIL_KERNELS_HIL_ETHOSU_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HIL_ETHOSU_REGIONS 8U

#define HIL_ETHOSU_OK 0
#define HIL_ETHOSU_ARGUMENT 1  /* a pointer or number that the NPU cannot take */
#define HIL_ETHOSU_ABSENT 2    /* no Ethos-U at HIL_ETHOSU_BASE */
#define HIL_ETHOSU_OTHER 3     /* an Ethos-U of another build than the stream is for */
#define HIL_ETHOSU_BUSY 4      /* it runs for someone else */
#define HIL_ETHOSU_RESET 5     /* it does not come out of reset, or not with the rights of HIL_ETHOSU_PROT */
#define HIL_ETHOSU_BUS 6       /* the bus refused an access: memory that the NPU cannot reach */
#define HIL_ETHOSU_COMMAND 7   /* a command that it cannot carry out */
#define HIL_ETHOSU_WEIGHTS 8   /* weights that it cannot decode */
#define HIL_ETHOSU_ECC 9       /* its own memory failed */
#define HIL_ETHOSU_TIMEOUT 10  /* it did not end within HIL_ETHOSU_POLLS */
#define HIL_ETHOSU_UNENDED 11  /* it stopped before the end of the stream */

/* What the last run was. On a U65 the four event counters count both ports' transfers and the cycle counter the active
 * cycles, so idle ones are 0; a U55 writes through AXI0 alone. */
typedef struct {
    uint64_t cycles_active, cycles_idle; /* of the NPU's clock, from its start to when it was seen to have ended */
    uint32_t axi0_read, axi0_write;      /* beats of 8 bytes on the U55, of 16 on the U65 */
    uint32_t axi1_read, axi1_write;
    uint32_t status; /* register STATUS at its end */
    uint32_t at;     /* byte of the stream that it had come to (QREAD) */
    uint32_t runs;   /* runs so far, this one among them */
    int32_t result;  /* what hil_ethosu_run returned */
} hil_ethosu_counters;

/* Runs `count` words of commands over memories. `config` is the build of NPU that they are for, as its register CONFIG says
 * it. Commands and bases lie at multiples of 16; a region of size 0 is not there; region 0 is only read. Returns
 * HIL_ETHOSU_OK or one of the others; the next run works again whatever one returned. */
int32_t hil_ethosu_run(const uint32_t *commands, uint32_t count, uint32_t config, const void *const bases[],
                       const uint32_t sizes[], uint32_t regions);

/* Of the last run. */
const hil_ethosu_counters *hil_ethosu_last(void);

/* To be called by the handler of the NPU's interrupt, where it is enabled; the run then goes on by itself. Nothing else is
 * needed. Between two looks at the NPU a function `void hil_ethosu_wait(void)` is called where the firmware has one: for
 * WFE, or for an operating system's semaphore that the handler gives. */
void hil_ethosu_irq(void);

/* All accesses to registers. An emulator without the NPU answers here. */
uint32_t hil_ethosu_get(uint32_t offset);
void hil_ethosu_put(uint32_t offset, uint32_t value);

/* Does nothing: an emulator that answers here learns what the run is for, and how far each region reaches, which no register
 * holds. */
void hil_ethosu_begin(uint32_t config, const uint32_t sizes[], uint32_t regions);

#ifdef __cplusplus
}
#endif

#endif
