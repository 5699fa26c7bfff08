/* Division of floats for cores without an FPU, in code that runs at any address: libgcc's for the v6-M has tables of
 * addresses. Numbers are their bits: no float is used here. */
#include <stdint.h>

#define DIVIDE __aeabi_fdiv
#define WORD uint32_t
#define FRACTION 23
#define LARGEST 255
#include "divide.h"

#define DIVIDE __aeabi_ddiv
#define WORD uint64_t
#define FRACTION 52
#define LARGEST 2047
#include "divide.h"
