#!/bin/sh
# The openai command line (openai 1.x has one; 2.54 and later have none): upload, train, follow, ask.
# OPENAI_BASE_URL and OPENAI_API_KEY come from `fttui env`. OPENAI=… names the command.
set -eu
openai=${OPENAI:-openai}
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

file=$("$openai" api files.create -f "${1:-train.jsonl}" -p fine-tune | field id)
job=$("$openai" api fine_tuning.jobs.create -m gpt-4o-mini-2024-07-18 -F "$file" \
    -s colours -H '{"n_epochs": 2}' | field id)
while :; do
    now=$("$openai" api fine_tuning.jobs.retrieve -i "$job" | field status)
    case $now in succeeded | failed | cancelled) break ;; esac
    sleep 1
done
"$openai" api fine_tuning.jobs.list_events -i "$job" -l 2 > /dev/null
"$openai" api fine_tuning.jobs.list > /dev/null
model=$("$openai" api fine_tuning.jobs.retrieve -i "$job" | field fine_tuned_model)
echo "status $now"
echo "model $model"
answer=$("$openai" api chat.completions.create -m "$model" -g user "What colour is ruby?" -M 8)
echo "answer $answer"
