import { monitorEventLoopDelay } from "node:perf_hooks";
import type { FastifyInstance } from "fastify";
import { Gauge, Histogram, Registry } from "prom-client";

/** Durations of requests by route, and how late the event loop is. Returns the Prometheus text of both. */
export function measureHttp(fastify: FastifyInstance): () => Promise<string> {
  const registers = [new Registry()];
  const durations = new Histogram({
    name: "miyabi_http_request_duration_seconds",
    help: "Time from a request to the end of its answer; event streams are not counted.",
    labelNames: ["method", "route", "status"],
    buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  });
  const lag = new Gauge({
    name: "miyabi_event_loop_lag_seconds",
    help: "How late timers were since the last time this was asked.",
    labelNames: ["quantile"],
    registers,
  });
  const cpu = new Gauge({
    name: "miyabi_process_cpu_seconds_total",
    help: "CPU time of the control plane.",
    registers,
  });
  const heap = new Gauge({
    name: "miyabi_process_heap_used_bytes",
    help: "JavaScript heap in use.",
    registers,
  });
  let delay: ReturnType<typeof monitorEventLoopDelay> | null = null;

  fastify.addHook("onResponse", async (request, reply) => {
    durations.observe(
      {
        method: request.method,
        route: request.is404 ? "none" : (request.routeOptions.url ?? "none"),
        status: `${Math.floor(reply.statusCode / 100)}xx`,
      },
      reply.elapsedTime / 1000,
    );
  });
  fastify.addHook("onClose", async () => void delay?.disable());

  return async () => {
    // Measuring costs a timer, so it begins with the first question.
    if (delay === null) {
      delay = monitorEventLoopDelay({ resolution: 50 });
      delay.enable();
    }
    for (const quantile of [50, 99])
      lag.set({ quantile: String(quantile / 100) }, Math.max(0, delay.percentile(quantile) / 1e9 - 0.05));
    lag.set({ quantile: "1" }, Math.max(0, delay.max / 1e9 - 0.05));
    delay.reset();
    const used = process.cpuUsage();
    cpu.set((used.user + used.system) / 1e6);
    heap.set(process.memoryUsage().heapUsed);
    return registers[0]?.metrics() ?? "";
  };
}
