/* What the parts of the native port share. */
#ifndef HOST_H
#define HOST_H

/* Reports fatal signals as faults, except under a sanitizer, whose own report on standard error says more. */
void host_catch_signals(void);

#endif
