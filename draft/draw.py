import matplotlib.pyplot as plt, textwrap
from mnist_study.story import session, figures, judged
from mnist_study.story.exercises import parts, softmax_steps
from mnist_study.core.backend import keras
from mnist_study.records import saved_model
from mnist_study import paths
from mnist_study.story.figures.style import png
import numpy as np
plt.style.use(["default", session.STYLE])
print("rate 5", softmax_steps(5)[0][-5:])
(x,l),(tx,tl)=keras.datasets.mnist.load_data()
from mnist_study.core import data
net=saved_model.load(paths.MODEL); ti=data.normalise(tx)
shown=[figures.puzzle(tx),figures.samples(x,l,data.training_writers()),figures.answers(tx,tl),figures.contested(tx,tl),figures.who(),figures.trust(),figures.damage(net,ti,tl),figures.damage_table(),figures.ladder(),figures.time_to_accuracy(),figures.network(net,ti[0]),figures.deformations(data.normalise(x[:1])[0],1)]
for s in shown:
    if s is None: continue
    s.figure.suptitle(textwrap.fill(s.title,int(11*s.figure.get_figwidth())),fontsize=11,fontweight="bold")
    b=png(s.figure); open("/tmp/fig/"+s.name,"wb").write(b); print(s.name,len(b)//1000,"kB",s.title)
