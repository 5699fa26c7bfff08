/* The native port: facts, ticks, start and restart. */
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "hil_port.h"
#include "host.h"

const hil_port_facts hil_port = {"host", 1000000000U, 1000000000U, HIL_TICK_HOST_NS};

static char **arguments;

int main(int argc, char **argv)
{
    (void)argc;
    arguments = argv;
    host_catch_signals();
    hil_main();
}

uint64_t hil_port_tick_coarse(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint32_t hil_port_tick(void)
{
    return (uint32_t)hil_port_tick_coarse();
}

uint32_t hil_port_known_loop(uint32_t instructions)
{
    for (volatile uint32_t i = 0; i < instructions; i++) {
    }
    return 0;
}

/* A native stack grows as it likes and its depth says nothing about a microcontroller. */
uintptr_t hil_port_stack_low(void)
{
    return 0;
}

uintptr_t hil_port_stack_high(void)
{
    return 0;
}

uint8_t hil_port_guard(void)
{
    return HIL_GUARD_NONE;
}

bool hil_port_guard_intact(void)
{
    return true;
}

_Noreturn void hil_port_reset(void)
{
    (void)execv(arguments[0], arguments);
    _exit(1);
}

#ifdef HIL_TEST_FAULTS
void hil_port_bad_access(void)
{
    (void)raise(SIGBUS);
}

void hil_port_bad_instruction(void)
{
    (void)raise(SIGILL);
}
#endif
