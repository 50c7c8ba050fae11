"""For tests: every instruction that LLVM disassembles."""

from __future__ import annotations

from collections.abc import Iterator

from wavesim.asm.llvm_lines import decode


def _words() -> Iterator[tuple[int, ...]]:
    """One or more encodings of every opcode number of every gfx9 format."""
    dpp, sdwa, sdwa_c = 0xFF00E406, 0x06060606, 0x06060006
    for op in range(128):
        yield (0x80000000 | op << 23 | 4 << 16 | 12 << 8 | 8,)  # SOP2
        yield (0xBF000000 | op << 16 | 12 << 8 | 8,)  # SOPC
        yield (0xBF800000 | op << 16 | 1,)  # SOPP
        yield (0xBF800000 | op << 16,)
    for op in range(32):
        yield (0xB0000000 | op << 23 | 4 << 16 | 0x881,)  # SOPK
        yield (0xB0000000 | op << 23 | 4 << 16 | 0x1881, 0x12345678)
    for op in range(256):
        for destination, source in ((4, 8), (0, 8), (4, 0), (0, 0)):
            yield (0xBE800000 | destination << 16 | op << 8 | source,)  # SOP1
        yield (0xC0000000 | op << 18 | 1 << 17 | 8 << 6 | 4, 0x40)  # SMEM
        yield (0xC0000000 | op << 18, 0)
        yield (0x7E000000 | 4 << 17 | op << 9 | 0x106,)  # VOP1
        yield (0x7E000000 | op << 9,)
        yield (0x7E000000 | 4 << 17 | op << 9 | 250, dpp)
        yield (0x7E000000 | 4 << 17 | op << 9 | 249, sdwa & 0xFFFFFF)
        yield (0x7C000000 | op << 17 | 8 << 9 | 0x106,)  # VOPC
        yield (0x7C000000 | op << 17 | 8 << 9 | 249, sdwa_c)
    for op in range(64):
        yield (op << 25 | 4 << 17 | 8 << 9 | 0x106,)  # VOP2
        yield (op << 25 | 4 << 17 | 8 << 9 | 0x106, 0x12345678)
        yield (op << 25 | 4 << 17 | 8 << 9 | 250, dpp)
        yield (op << 25 | 4 << 17 | 8 << 9 | 249, sdwa)
    for op in range(1024):  # VOP3, with VGPRs, with modifiers, with scalar sources
        yield (0xD0000000 | op << 16 | 4, 0x108 | 0x110 << 9 | 0x118 << 18)
        yield (0xD0000000 | op << 16 | 4 | 6 << 8, 0x108 | 0x110 << 9 | 0x118 << 18)
        yield (0xD0000000 | op << 16 | 4 | 1 << 15, 0x108 | 0x110 << 9 | 0x118 << 18 | 5 << 29)
        yield (0xD0000000 | op << 16 | 4, 0x108 | 6 << 9 | 6 << 18)
        yield (0xD0000000 | op << 16 | 4, 6 | 8 << 9 | 6 << 18)
    for op in range(128):  # VOP3P and MFMA, with AGPRs
        yield (0xD3800000 | op << 16 | 4 | 1 << 14, 0x108 | 0x110 << 9 | 0x118 << 18 | 3 << 27)
        yield (0xD3800000 | op << 16 | 4 | 1 << 15, 0x108 | 0x110 << 9 | 0x120 << 18)
        yield (0xD3800000 | op << 16 | 4, 0x108 | 0x110 << 9 | 0x120 << 18 | 1 << 27)
        yield (0xD3800000 | op << 16, 0x108 | 0x110 << 9)  # two sources
    for op in range(256):  # DS: which operands an opcode has is not known, so all choices
        for place in range(16):
            a, b, c, d = (place >> bit & 1 for bit in range(4))
            yield (0xD8000000 | op << 17, 4 * a | 8 * b << 8 | 16 * c << 16 | 24 * d << 24)
        for data in (0, 4):
            yield (0xD8010000 | op << 17, data)  # global wave synchronisation
    for op in range(128):
        for first, second in ((1 << 12, 4), (1 << 12 | 1 << 16, 4), (1 << 14, 4), (0, 0)):
            buffer = 0 if not second else 8 << 8 | 2 << 16 | 12 << 24
            yield (0xE0000000 | op << 18 | first | 0x10, second | buffer)  # MUBUF
            yield (0xE0000000 | op << 18 | first & ~0x10, second | (buffer & ~0xFF00))
            yield (0xE0000000 | op << 18 | first & ~0x10 | 1 << 16, 2 << 16 | 12 << 24)  # LDS to memory
        for returns in (0, 1 << 16):
            for data in (0, 8):
                for target in (0, 16):
                    yield (0xDC000000 | op << 18 | returns, 4 | data << 8 | target << 24)  # FLAT
                    for segment in (1 << 14, 2 << 14):
                        registers = 4 | data << 8 | target << 24
                        yield (0xDC000000 | op << 18 | segment | returns | 16, registers | 0x7F << 16)
                        yield (0xDC000000 | op << 18 | segment | returns, registers | 2 << 16)
                        yield (0xDC000000 | op << 18 | segment | 1 << 13, registers | 0x7F << 16)
    for op in range(16):
        yield (0xE8000000 | op << 15 | 1 << 12 | 3 << 19 | 1 << 23, 4 | 8 << 8 | 2 << 16 | 12 << 24)  # MTBUF


def disassemble_everything(arch: str) -> list[str]:
    """The distinct texts of every encoding above that LLVM can disassemble for ``arch``."""
    codes = [b"".join(word.to_bytes(4, "little") for word in words) for words in _words()]
    return list(dict.fromkeys(text for text in decode(codes, arch) if text is not None))
