"""Prices, dates and estimates: pure, in Decimal, every figure dated and sourced."""
