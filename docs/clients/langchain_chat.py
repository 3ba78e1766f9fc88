"""LangChain: a chat model in a chain, streamed, and with a tool. Needs `langchain-openai`.

OPENAI_BASE_URL and OPENAI_API_KEY come from `fttui env`. Name a tuned model to ask that one.
"""

import sys

from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

MODEL = sys.argv[1] if len(sys.argv) > 1 else "gpt-4o-mini-2024-07-18"


@tool
def paint(colour: str) -> str:
    """Paint the wall."""
    return colour


llm = ChatOpenAI(model=MODEL, temperature=0, max_tokens=8)
prompt = ChatPromptTemplate.from_messages(
    [("system", "Answer with one colour."), ("user", "What colour is {thing}?")]
)
answer = (prompt | llm).invoke({"thing": "ruby"})
print("answer", answer.content)
print("tokens", answer.usage_metadata["total_tokens"])
pieces = list((prompt | llm).stream({"thing": "the sky"}))
print("pieces", len(pieces))
called = llm.bind_tools([paint]).invoke("Paint the wall red.")
print("calls", called.tool_calls)
