// openai-node: upload, train, follow, read every event and checkpoint, stream an answer.
// OPENAI_BASE_URL and OPENAI_API_KEY come from `fttui env`. Run it where `npm install openai` was run.
import fs from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// The package is looked for where the command is run, not beside this file.
const found = createRequire(process.cwd() + "/").resolve("openai");
const { default: OpenAI } = await import(pathToFileURL(found));

const model = "gpt-4o-mini-2024-07-18";
const client = new OpenAI();
const file = await client.files.create({
  file: fs.createReadStream(process.argv[2] ?? "train.jsonl"),
  purpose: "fine-tune",
});
await client.files.waitForProcessing?.(file.id);
let job = await client.fineTuning.jobs.create({
  model,
  training_file: file.id,
  suffix: "colours",
  method: { type: "supervised", supervised: { hyperparameters: { n_epochs: 2 } } },
});
while (!["succeeded", "failed", "cancelled"].includes(job.status)) {
  await new Promise((done) => setTimeout(done, 1000));
  job = await client.fineTuning.jobs.retrieve(job.id);
}
let events = 0;
for await (const event of client.fineTuning.jobs.listEvents(job.id, { limit: 3 })) {
  if (events++ === 0) console.log("newest event", event.message);
}
console.log("events", events);
for await (const row of client.fineTuning.jobs.checkpoints.list(job.id, { limit: 1 })) {
  console.log("checkpoint", row.fine_tuned_model_checkpoint);
}
console.log("status", job.status);
console.log("model", job.fine_tuned_model);
const results = await client.files.content(job.result_files[0]);
console.log("results", (await results.text()).split("\n")[0]);
const stream = await client.chat.completions.create({
  model: job.fine_tuned_model,
  messages: [{ role: "user", content: "What colour is ruby?" }],
  max_tokens: 8,
  stream: true,
  stream_options: { include_usage: true },
});
let answer = "";
let usage;
for await (const chunk of stream) {
  answer += chunk.choices[0]?.delta?.content ?? "";
  usage = chunk.usage ?? usage;
}
console.log("answer", answer);
console.log("tokens", usage.total_tokens);
