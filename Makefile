# Two commands on a fresh Debian 12 machine. Finer verbs: ./dev
.PHONY: demo test
demo:
	@./dev install
	@./dev build release mandated mandate >build-demo.log 2>&1 || { tail -40 build-demo.log; exit 1; }
	@node examples/todo/demo.mjs
test:
	@./dev test
