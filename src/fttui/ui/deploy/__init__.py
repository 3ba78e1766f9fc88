"""Deployments on the screen: what is deployed, what it costs by the hour, and how one is made."""
