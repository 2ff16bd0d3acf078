"""The product: a FastAPI application that was here before. Three lines give it an agent.

    uvicorn main:api --no-proxy-headers

The inbox is at /agents/, the API of threads and contacts below /agents/v1.
"""

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from twelvefold import App
from twelvefold.server import lifespan, router

from app import app, orders
from orders import Order, Orders


class Complaint(BaseModel):
    text: str


def make_api(agents: App, orders: Orders) -> FastAPI:
    api = FastAPI(title="shop", lifespan=lifespan(agents))  # 1: threads are advanced in here
    api.include_router(router(agents, prefix="/agents"))  # 2: the inbox and its API

    @api.get("/orders/{number}")
    def order(number: str) -> Order:
        return found(number)

    @api.post("/orders/{number}/complaints", status_code=202)
    async def complain(number: str, complaint: Complaint) -> dict[str, str]:
        text = f"order {found(number).number}: {complaint.text}"
        return {"thread": await agents.launch("refunds", text)}  # 3: answers at once

    def found(number: str) -> Order:
        order = orders.find(number)
        if order is None:
            raise HTTPException(404, f"There is no order {number}.")
        return order

    return api


api = make_api(app, orders)
