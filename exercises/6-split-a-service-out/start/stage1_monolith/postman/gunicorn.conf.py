"""How gunicorn runs postman."""

import os

bind = f"127.0.0.1:{os.environ['POSTMAN_PORT']}"
workers = 1
worker_class = "gthread"
threads = 8
# Its socket lies in the home folder, where two runs would fight over it.
control_socket_disable = True
