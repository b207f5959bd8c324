"""The command `albumen`. Commands are thin: parse, call one service, print."""
