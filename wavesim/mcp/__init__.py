"""A server for programs that write kernels: the Model Context Protocol over standard input and output."""
