"""The HTTP server: connections to WSGI calls and back, in as many processes as there are cores.

    fleet        the first process: listens, starts the others, replaces those that die
    loop         one thread of each process: takes connections in, answers at once what is in memory
    exchange     a thread for each other request: runs the application, waits for slow clients as long as they may take
    head · body · answer · connection
                 what a request says, its bytes, what goes back, and the socket under all of them

It knows HTTP/1.1 (RFC 9110, RFC 9112) and WSGI (PEP 3333) and nothing of photos; of Albumen it imports `errors` only.
See docs/adr/0016-a-server-of-our-own.md.
"""
