function summary() {
  const { method, sizes, measured_seconds, limit_seconds, run_seconds, share_of_limit } = data.method;
  const threads = data.limits.at(-1).threads;
  const parts = [
    `Method ${method}${sizes ? ` for ${sizes}` : ""}: ${kernels.length} kernels in ${launches.length} launches, ` +
      `${threads} thread${threads === 1 ? "" : "s"}.`,
    `A run takes ${amount(data.median_seconds, "s")} (median), while kernels are timed ${amount(run_seconds, "s")}, of which ` +
      `${amount(measured_seconds, "s")} in kernels.`,
  ];
  if (limit_seconds !== null)
    parts.push(`On this machine they take ${amount(limit_seconds, "s")} at least: ${percent(share_of_limit)} of the limit is reached.`);
  document.getElementById("summary").textContent = parts.join(" ");
}

summary();
timeline();
graph();
roofline();
table();
