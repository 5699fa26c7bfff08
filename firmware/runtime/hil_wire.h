/* The wire format: see docs/protocol.md. All numbers are little-endian. */
#ifndef HIL_WIRE_H
#define HIL_WIRE_H

#include <stdint.h>

#define HIL_PROTOCOL_VERSION 1U

/* Largest frame content: type, sequence number, body and CRC. */
#ifndef HIL_FRAME_MAX
#define HIL_FRAME_MAX 2080U
#endif

#define HIL_NO_LAYER 0xFFFFFFFFU
#define HIL_UNKNOWN 0xFFFFFFFFU

/* Requests; the answer's type is the request's with the highest bit set. */
enum {
    HIL_HELLO = 0x01,
    HIL_MODEL = 0x02,
    HIL_INIT = 0x03,
    HIL_WRITE = 0x04,
    HIL_INVOKE = 0x05,
    HIL_CONTINUE = 0x06,
    HIL_READ = 0x07,
    HIL_WATERMARK = 0x08,
    HIL_RESET = 0x09,
    HIL_REPEAT = 0x0A,
    HIL_BAUD = 0x0B,
    HIL_LINE = 0x0C,
    HIL_GAPS = 0x0D,
    HIL_SLOT = 0x0E,
    HIL_PUT = 0x0F,
    HIL_INSTALL = 0x10,
    HIL_TEST = 0x60,
    HIL_REQUESTS_END = 0x70
};

/* What the device sends unasked. */
enum { HIL_ACCEPTED = 0xF0, HIL_DAMAGED = 0xF1, HIL_READY = 0xF2, HIL_FAULT = 0xFF };

enum {
    HIL_OK = 0,
    HIL_BAD_COMMAND = 1,
    HIL_BAD_LENGTH = 2,
    HIL_BAD_MODEL = 3,
    HIL_BAD_STATE = 4,
    HIL_BAD_RANGE = 5,
    HIL_MODEL_FAILED = 6,
    HIL_TOO_MANY_LAYERS = 7,
    HIL_NO_SESSION = 8
};

enum {
    HIL_INVOKE_PROFILE = 1,
    HIL_INVOKE_STEP = 2,
    HIL_INVOKE_LAYER_STACK = 4,
    HIL_INVOKE_INLINE = 8,
    HIL_INVOKE_COMPARE = 16
};

/* What WRITE writes besides inputs: the key and the expected words of mode COMPARE. */
#define HIL_WRITE_EXPECTED 0xFFU

/* Of HELLO: the tick counter runs; TEST is carried out; so are mode COMPARE and GAPS; so are SLOT, PUT and INSTALL. */
enum { HIL_FLAG_TICKS_RUN = 1, HIL_FLAG_TEST_FAULTS = 2, HIL_FLAG_COMPARES = 4, HIL_FLAG_INSTALLS = 8 };

enum { HIL_TABLE_FACTS = 0, HIL_TABLE_INPUTS = 1, HIL_TABLE_OUTPUTS = 2, HIL_TABLE_LAYERS = 3 };

enum {
    HIL_SPACE_OUTPUT = 0,
    HIL_SPACE_LAYER = 1,
    HIL_SPACE_TICKS = 2,
    HIL_SPACE_LAYER_STACK = 3,
    HIL_SPACE_ARENA = 4
};

enum { HIL_PHASE_IDLE = 0, HIL_PHASE_INIT = 1, HIL_PHASE_INVOKE = 2 };

enum {
    HIL_FAULT_HARD = 1,
    HIL_FAULT_MEMORY = 2,
    HIL_FAULT_BUS = 3,
    HIL_FAULT_USAGE = 4,
    HIL_FAULT_STACK = 5,
    HIL_FAULT_INTERRUPT = 6,
    HIL_FAULT_SIGNAL = 7,
    HIL_FAULT_SECURE = 8
};

#endif
