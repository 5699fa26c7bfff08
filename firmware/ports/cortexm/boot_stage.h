/* How far the start has come, in a word that a debugger reads where the board says nothing.
 *
 * The word lies in .bss: what an earlier start left there is gone before the first stage is written. Numbers, names and
 * meanings stand here only; harness/boards/backends/pyocd/boot.py reads them from this file, one stage a line, each as
 * what is waited for. */
#ifndef BOOT_STAGE_H
#define BOOT_STAGE_H

#include <stdint.h>

enum {
    HIL_BOOT_SUPPLY = 1,        /* the core supply to be declared valid */
    HIL_BOOT_VOLTAGE = 2,       /* the regulator to reach the voltage of full speed */
    HIL_BOOT_OSCILLATOR = 3,    /* the internal oscillator to run */
    HIL_BOOT_PLL = 4,           /* the PLL to lock */
    HIL_BOOT_OVERDRIVE = 5,     /* the regulator to go into overdrive */
    HIL_BOOT_FLASH_LATENCY = 6, /* the flash to take its wait states */
    HIL_BOOT_CLOCK_SWITCH = 7,  /* the core clock to switch to the PLL */
    HIL_BOOT_CACHES = 8,        /* the caches to be invalidated */
    HIL_BOOT_TICKS = 9,         /* the tick counter to be tried */
    HIL_BOOT_UART = 10,         /* the UART to be enabled */
    HIL_BOOT_DONE = 11,         /* requests: the start is over */
    HIL_BOOT_UART_SEND = 12,    /* the UART to take a byte to be sent */
    HIL_BOOT_UART_DRAIN = 13    /* the UART to send its last bit before its rate is changed */
};

/* The word: this mark, by which it is told from what RAM holds at power-on, the flag where a wait reached its limit,
 * and the stage. */
#define HIL_BOOT_MARK 0x48420000U
#define HIL_BOOT_STOPPED 0x00000100U

extern volatile uint32_t hil_boot_stage;

/* The start has come to a stage. */
static inline void cortexm_boot_at(uint32_t stage)
{
    hil_boot_stage = HIL_BOOT_MARK | stage;
}

/* The wait of a stage has reached its limit: nothing that needs what was waited for is tried, and the core stays here
 * for the debugger to find, awake, because a sleeping chip may not answer it. Always inline: cortexm_early has no stack
 * for a call. */
__attribute__((always_inline, noreturn)) static inline void cortexm_boot_stop(uint32_t stage)
{
    hil_boot_stage = HIL_BOOT_MARK | HIL_BOOT_STOPPED | stage;
    for (;;) {
        __asm__ volatile("nop");
    }
}

#endif
