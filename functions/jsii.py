"""Silences jsii; to be imported before ``aws_cdk``.

jsii greets every Node release past its end of life with a banner on each synth. We check Node's
version ourselves; 20 still works.
"""

import os

os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20,21,23")
