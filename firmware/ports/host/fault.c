/* Fatal signals become fault frames: cfsr holds the signal's number, bfar the address. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "hil_fault.h"
#include "hil_port.h"
#include "host.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* How far from the stack's end an address may lie to count as an overflow. */
#define NEAR_STACK_END 0x100000U

static uintptr_t stack_end;

static bool is_overflow(uintptr_t address)
{
    return stack_end != 0U && address + NEAR_STACK_END >= stack_end && address < stack_end + NEAR_STACK_END;
}

static void on_signal(int number, siginfo_t *info, void *machine)
{
    (void)machine;
    hil_fault_record record;
    memset(&record, 0, sizeof record);
    record.kind = HIL_FAULT_SIGNAL;
    record.cfsr = (uint32_t)number;
    record.bfar = (uintptr_t)info->si_addr;
    if (number == SIGSEGV && is_overflow(record.bfar)) {
        record.kind = HIL_FAULT_STACK;
    }
    hil_fault(&record);
}

void host_catch_signals(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    static uint8_t handler_stack[65536];
    struct rlimit limit;
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL); /* a restart from a handler left its signal blocked */
    if (SANITIZED) {
        return;
    }
    if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        stack_end = (uintptr_t)&limit - (uintptr_t)limit.rlim_cur;
    }
    stack_t stack;
    memset(&stack, 0, sizeof stack);
    stack.ss_sp = handler_stack;
    stack.ss_size = sizeof handler_stack;
    (void)sigaltstack(&stack, NULL);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        (void)sigaction(numbers[i], &action, NULL);
    }
}
