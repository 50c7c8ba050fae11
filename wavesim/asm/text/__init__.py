"""Assembly text: lexing, operands, macros, expressions, directives."""
