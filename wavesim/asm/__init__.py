"""Tokenizer, parser and printer of AMDGPU assembly; lookup of LLVM tools."""
